#!/bin/bash
# Files that do not fit into 32 bits, nor between two backups of the superblock.
. "$(dirname "$0")/lib.sh"

system=$(build small)

# Nix would read 4 GiB three times; so these paths, plain files, are registered by hand. Their NARs are always the same:
#   str() { perl -e 'print pack("Q<", length), $_, "\0" x (-length() % 8) for @ARGV' "$@"; }
#   nar() { str nix-archive-1 '(' type regular contents; perl -e 'print pack("Q<", -s shift)' "$1"; cat "$1"; padding; str ')'; }
register() { # register FILE SIZE HASH: as nix-store --load-db reads it
  chmod 444 "$1"
  touch -d @1 "$1"
  printf '%s\n%s\n%s\n\n0\n' "$1" "$3" "$2"
}
sparse=/nix/store/00000000000000000000000000000000-sparse groups=/nix/store/11111111111111111111111111111111-groups
truncate -s 4300M $sparse
printf end | dd of=$sparse bs=1 seek=4400000000 conv=notrunc status=none
# Crosses the first backup groups, at 128 and 384 MiB, wherever it is.
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
  # All the zeros before would take their time; NAR hashes speak for them.
  cmp -i 4290000000 $sparse "$WORLD/mnt$sparse"
  umount "$WORLD/mnt"
else
  debugfs -R "dump $groups $work/groups" "$image?offset=$start" 2>/dev/null
  cmp "$groups" "$work/groups"
fi
echo "huge files are whole"
