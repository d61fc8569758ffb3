#!/bin/bash
# Files whose size needs more than 32 bits, and that do not fit between two backups of the superblock.
. "$(dirname "$0")/lib.sh"

system=$(build small)

# These paths, plain files, are registered manually, because Nix would read 4 GiB three times. Their NAR hashes are from:
#   str() { perl -e 'print pack("Q<", length), $_, "\0" x (-length() % 8) for @ARGV' "$@"; }
#   nar() { str nix-archive-1 '(' type regular contents; perl -e 'print pack("Q<", -s shift)' "$1"; cat "$1"; padding; str ')'; }
register() { # register FILE SIZE HASH: print the input for nix-store --load-db
  chmod 444 "$1"
  touch -d @1 "$1"
  printf '%s\n%s\n%s\n\n0\n' "$1" "$3" "$2"
}
sparse=/nix/store/00000000000000000000000000000000-sparse groups=/nix/store/11111111111111111111111111111111-groups
truncate -s 4300M $sparse
printf end | dd of=$sparse bs=1 seek=4400000000 conv=notrunc status=none
# Large enough to cross the first backup groups, at 128 and 384 MiB, from any position.
head -c 300000001 /dev/zero | tr '\0' g >$groups
{
  register $sparse 4508876912 d9682cc6c67657c1420507c8a3f2d8dcdaca24fd77167bb7c0b233efe0280697
  register $groups 300000120 2744a280736365ceb63c32763f814fccb8a3e82f6c6b3c5ad393cc6df67e2d00
} | nix-store --load-db
sqlite3 /nix/var/nix/db/db.sqlite "insert into Refs select a.id, b.id from ValidPaths a, ValidPaths b
  where a.path = '$system' and b.path in ('$sparse', '$groups')"
[ "$(nix-store -qR "$system" | grep -c '/[01]\{32\}-')" = 2 ] || fail "registration"

create g1 --system "$system" -o "$out" -q
image=$out/g1.img
clean "$image"
[ "$(du -m "$image" | cut -f 1)" -lt 500 ] || fail "zeros take room on the host: $(du -m "$image")"
debugfs -R "stat $groups" "$image?offset=$start" 2>/dev/null | grep -q '(ETB0)' || fail "a file of 286 MiB has no extent leaf"

for path in $sparse $groups; do
  LIST_ONLY=stat list "$path" >"$work/host"
  LIST_ONLY=stat list "$image" "$start" "$path" >"$work/image"
  same "$work/host" "$work/image" "$path"
done
if [ -z "$no_loop" ]; then
  mounted "$image" "$WORLD/mnt" ro
  cmp $groups "$WORLD/mnt$groups"
  # Comparing all the zeros before would take long; they are covered by the NAR hash.
  cmp -i 4290000000 $sparse "$WORLD/mnt$sparse"
  umount "$WORLD/mnt"
else
  debugfs -R "dump $groups $work/groups" "$image?offset=$start" 2>/dev/null
  cmp "$groups" "$work/groups"
fi
echo "huge files are whole"
