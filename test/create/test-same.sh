#!/bin/bash
# The same closure and options give the same image bit for bit: whatever the threads, the time, the place, the user,
# the order and the hard links of the host's files, and whether blocks are shared.
. "$(dirname "$0")/lib.sh"

system=$(build strange)

# made WHAT ARGUMENT...: make it, compare it with the first that was made
first=''
made() {
  local what=$1 sum
  shift
  rm -rf "$out"/g1*
  create g1 --system "$system" -o "$out" -q "$@"
  sum=$(cd "$out" && sha256sum g1.img g1.cfg)
  [ -n "$first" ] || first=$sum
  [ "$sum" = "$first" ] || fail "$what: another image"
  echo "same: $what"
}

made "one thread" -j 1
made "four threads" -j 4
made "sixteen threads, a second later" -j 16
made "not verified" --no-verify
nix-store --optimise 2>/dev/null
made "hard links"

# The same paths written in another order, without links between them, on a file system of another kind.
other=$WORLD/other
mkdir "$other"
mount -t tmpfs none "$other"
mkdir -p "$other/nix/store" "$other/nix/var/nix"
nix-store -qR "$system" | sort -r | while read -r path; do cp -dR --preserve=mode "$path" "$other/nix/store"; done
cp -a /nix/var/nix/db "$other/nix/var/nix"
made "from a copy elsewhere" --from "$other"

if [ -z "$no_loop" ]; then
  chmod 755 "$WORLD" "$root"
  chmod 777 "$out"
  rm -rf "$out"/g1*
  setpriv --reuid 65534 --regid 65534 --clear-groups -- "$DOMSTRAP" create g1 --system "$system" -o "$out" -q
  [ "$(cd "$out" && sha256sum g1.img g1.cfg)" = "$first" ] || fail "another user: another image"
  echo "same: another user"

  # A device that was zero before, and a file of its size.
  truncate -s 600M "$work/device"
  loop=$(losetup --show -f "$work/device")
  loops+=("$loop")
  rm -rf "$out"/g1*
  create g1 --system "$system" -o "$out" -q --disk "$loop"
  rm -rf "$out"/g1*
  create g1 --system "$system" -o "$out" -q --size 600M
  cmp "$loop" "$out/g1.img" || fail "a device: another image"
  echo "same: a device"
fi

if [ -z "$no_loop" ] && command -v mkfs.xfs >/dev/null && grep -q xfs /proc/filesystems; then
  truncate -s 1G "$work/xfs"
  mkfs.xfs -q -m reflink=1 "$work/xfs"
  mkdir "$WORLD/mnt"
  mount -o loop "$work/xfs" "$WORLD/mnt"
  cp -a "$other/nix" "$WORLD/mnt"
  for reflink in never auto always; do
    create g1 --system "$system" --from "$WORLD/mnt" -o "$WORLD/mnt" -q --reflink $reflink
    [ "$(sha256sum <"$WORLD/mnt/g1.img")" = "$(sha256sum <"$out/g1.img")" ] ||
      [ "$(sha256sum <"$WORLD/mnt/g1.img") " = "${first%%g1.img*}" ] || fail "--reflink $reflink: another image"
    sync
    df --output=used -BK "$WORLD/mnt" | tail -n 1 >>"$work/used"
    rm "$WORLD"/mnt/g1*
    sync
    echo "same: --reflink $reflink"
  done
  mapfile -t used < <(tr -d 'K ' <"$work/used")
  [ "${used[2]}" -lt "$((used[0] - 10000))" ] || fail "no blocks are shared: ${used[*]}"
fi
umount "$other"

# ---- another time, on purpose ----

epoch=1700000000
export SOURCE_DATE_EPOCH=$epoch
rm -rf "$out"/g1*
create g1 --system "$system" -o "$out" -q
sum=$(sha256sum <"$out/g1.img")
clean "$out/g1.img"
"$TOOLS/list" "$out/g1.img" "$start" /etc | awk -v t=$epoch '$5 != t' >"$work/times"
[ ! -s "$work/times" ] || { cat "$work/times"; fail "times of /etc"; }
list_image "$out/g1.img" | awk '$6 != 1' >"$work/times"
[ ! -s "$work/times" ] || { head "$work/times"; fail "times in the store"; }
dumpe2fs -h "$out/g1.img?offset=$start" 2>/dev/null | grep -q 'Filesystem created: *Tue Nov 14 22:13:20 2023' || fail "time of the file system"
debugfs -R "dump /nix/var/nix/db/db.sqlite $work/db" "$out/g1.img?offset=$start" 2>/dev/null
[ "$(sqlite3 "$work/db" 'select distinct registrationTime from ValidPaths')" = $epoch ] || fail "time of registration"
rm -rf "$out"/g1*
create g1 --system "$system" -o "$out" -q -j 1
[ "$(sha256sum <"$out/g1.img")" = "$sum" ] || fail "SOURCE_DATE_EPOCH: another image"
echo "same: SOURCE_DATE_EPOCH"
