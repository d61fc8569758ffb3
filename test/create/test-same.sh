#!/bin/bash
# The same closure and options give bit for bit the same image, independent of the number of threads, time, place, user,
# the order and hard links of the host's files, and shared blocks.
. "$(dirname "$0")/lib.sh"

system=$(build strange)

# made WHAT ARGUMENT...: make the image, and compare it with the first one
made() {
  local what=$1
  shift
  create g1 --system "$system" -o "$out" --size 300M -q "$@"
  compare "$what" "$out/g1.img"
}

compare() { # compare WHAT IMAGE
  if [ -e "$work/first.img" ]; then
    same_image "$work/first.img" "$2" || fail "$1: another image"
    cmp "$work/first.cfg" "$out/g1.cfg" || fail "$1: another config"
  else
    mv "$2" "$work/first.img"
    cp "$out/g1.cfg" "$work/first.cfg"
  fi
  rm -f "$out"/g1*
  echo "same: $1"
}

made "one thread" -j 1
made "four threads" -j 4
made "sixteen threads, a second later" -j 16
made "not verified" --no-verify
nix-store --optimise 2>/dev/null
made "hard links"

# The same paths written in another order, without hard links, on another type of file system.
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
  setpriv --reuid 65534 --regid 65534 --clear-groups -- "$DOMSTRAP" create g1 --system "$system" -o "$out" --size 300M -q
  compare "another user" "$out/g1.img"

  truncate -s 300M "$work/device"
  loop=$(losetup --show -f "$work/device")
  loops+=("$loop")
  create g1 --system "$system" -o "$out" -q --disk "$loop"
  sed -i "s,/dev/loop[0-9]*,$out/g1.img," "$out/g1.cfg"
  compare "a device" "$loop"
fi
umount "$other"

# ---- shared blocks ----

if [ -z "$no_loop" ] && command -v mkfs.xfs >/dev/null && grep -q xfs /proc/filesystems; then
  used=()
  medium=$(build medium)
  create g1 --system "$medium" -o "$out" --size 100M -q
  mv "$out/g1.img" "$work/medium.img"
  truncate -s 400M "$work/xfs"
  mkfs.xfs -q -m reflink=1 "$work/xfs"
  mkdir "$WORLD/mnt"
  mount -o loop "$work/xfs" "$WORLD/mnt"
  mkdir -p "$WORLD/mnt/nix/store" "$WORLD/mnt/nix/var/nix"
  nix-store -qR "$medium" | xargs cp -a -t "$WORLD/mnt/nix/store"
  cp -a /nix/var/nix/db "$WORLD/mnt/nix/var/nix"
  sync
  for reflink in never auto always; do
    before=$(df --output=used -B1024 "$WORLD/mnt" | tail -n 1)
    create g1 --system "$medium" --from "$WORLD/mnt" -o "$WORLD/mnt" --size 100M -q --reflink $reflink
    same_image "$WORLD/mnt/g1.img" "$work/medium.img" || fail "--reflink $reflink: another image"
    sync
    used[${#used[@]}]=$(($(df --output=used -B1024 "$WORLD/mnt" | tail -n 1) - before))
    rm "$WORLD"/mnt/g1*
    sync
    echo "same: --reflink $reflink, ${used[-1]} KiB new"
  done
  [ "${used[1]}" -lt $((used[0] / 2)) ] || fail "no blocks are shared: ${used[*]} KiB"
  umount "$WORLD/mnt"
  mkdir "$WORLD/plain"
  mount -t tmpfs none "$WORLD/plain"
  refused 1 'cannot share blocks.*--reflink always' g1 --system "$medium" -o "$WORLD/plain" --reflink always
  umount "$WORLD/plain"
  rm -f "$out"/g1*
fi

# ---- SOURCE_DATE_EPOCH ----

epoch=1700000000
export SOURCE_DATE_EPOCH=$epoch
create g1 --system "$system" -o "$out" --size 300M -q
clean "$out/g1.img"
"$TOOLS/list" "$out/g1.img" "$start" /etc | awk -v t=$epoch '$5 != t' >"$work/times"
[ ! -s "$work/times" ] || { cat "$work/times"; fail "times of /etc"; }
list_image "$out/g1.img" | awk '$6 != 1' >"$work/times"
[ ! -s "$work/times" ] || { head "$work/times"; fail "times in the store"; }
debugfs -R 'stats -h' "$out/g1.img?offset=$start" 2>/dev/null | grep -q 'Filesystem created: *Tue Nov 14 22:13:20 2023' || fail "time of the file system"
debugfs -R "dump /nix/var/nix/db/db.sqlite $work/db" "$out/g1.img?offset=$start" 2>/dev/null
[ "$(sqlite3 "$work/db" 'select distinct registrationTime from ValidPaths')" = $epoch ] || fail "time of registration"
mv "$out/g1.img" "$work/first.img"
cp "$out/g1.cfg" "$work/first.cfg"
rm "$out"/g1*
made "SOURCE_DATE_EPOCH" -j 1
