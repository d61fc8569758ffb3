#!/bin/bash
# SPDX-License-Identifier: MIT
# btrfs.sh FS_TREE [ROUNDS]: btrfs made by mkfs.btrfs --rootdir and, as root, through Linux: read by our driver, and
# compared with the tree that it holds and, where it is here, with GRUB's own reader. Linux makes what mkfs.btrfs does
# not: compressed and shared extents, files in pieces, subvolumes, snapshots. Then ROUNDS times options at random.
set -euo pipefail
# Mounts in a name space of its own: one that another test makes meanwhile would hold them.
if [ "$(id -u)" = 0 ] && [ -z "${own_mounts:-}" ]; then
  own_mounts=1 exec unshare --mount "$0" "$@"
fi
tree=$(realpath "$1") rounds=${2:-1}
command -v mkfs.btrfs >/dev/null || { echo "skipped: no mkfs.btrfs"; exit 77; }
here=$(realpath "$(dirname "$0")")
# shellcheck source=oracle.sh
. "$here/oracle.sh"
uuid=$(cat /proc/sys/kernel/random/uuid) # Linux takes two images with the same one for the same file system
first="btrfs lab $uuid"

# make_fs OPTION...: an empty file system
make_fs() { truncate -s 0 img && truncate -s "${size:-300M}" img && mkfs.btrfs -q -L lab -U "$uuid" "$@" img >mkfs.err 2>&1; }

# by_mkfs NAME OPTION...
by_mkfs() {
  make_fs -r src "${@:2}" || { fail "$1" "$(tail -n 1 mkfs.err)"; return; }
  wanted "$first"
  same "$1"
  [ -n "${no_grub:-}" ] || grub "$1" kernel pieces/a text
}

# mounted_here OPTIONS: img is on mnt
mounted_here() {
  [ "$(id -u)" = 0 ] && mount -t btrfs -o "loop,$1" img mnt 2>/dev/null && mounted=1
}

# by_kernel NAME MOUNT-OPTIONS OPTION...: through Linux, if that can
by_kernel() {
  make_fs "${@:3}" || { fail "$1" "$(tail -n 1 mkfs.err)"; return; }
  mounted_here "$2" || { echo "skipped $1: Linux does not mount it"; return 0; }
  python3 -I -S "$here/trees.py" fill mnt
  cp --reflink=always mnt/kernel mnt/reflinked
  # The middle of an extent is written anew, so that both ends of it are still used; a hole is made in another.
  cp --reflink=always mnt/text mnt/rewritten
  cp --reflink=always mnt/text mnt/punched
  sync -f mnt
  head -c 70000 mnt/kernel | dd of=mnt/rewritten bs=4096 seek=10 conv=notrunc status=none
  fallocate -p -o 300000 -l 40000 mnt/punched # GRUB 2.06 reads the bytes behind such a hole wrong
  sync -f mnt
  wanted "$first" mnt
  unmount
  same "$1, filled by Linux"
  [ -n "${no_grub:-}" ] || grub "$1" kernel pieces/a rewritten text tiny
}

python3 -I -S "$here/trees.py" fill src
by_mkfs default
by_kernel default noatime
by_mkfs "4 KiB nodes" -n 4096
by_kernel "4 KiB nodes" noatime -n 4096
by_mkfs "64 KiB nodes" -n 65536
by_mkfs mixed -M -n 4096
by_kernel mixed compress=zstd -M -n 4096
old=(-O "^no-holes,^free-space-tree")
mkfs.btrfs -O list-all 2>&1 | grep -q free-space-tree || old=(-O ^no-holes -R ^free-space-tree) # before 6.3
by_kernel "without no-holes and free-space-tree" noatime "${old[@]}"
for sum in crc32c xxhash sha256 blake2; do
  by_mkfs "$sum" --csum "$sum"
done
# GRUB takes the size of a page for the sector's.
no_grub=1 by_mkfs "64 KiB sectors" -s 65536 -n 65536
if mkfs.btrfs --help 2>&1 | grep -q -- --compress; then
  for how in zlib lzo zstd; do
    by_mkfs "$how" --compress "$how"
    no_grub=1 by_mkfs "$how, 64 KiB sectors" --compress "$how" -s 65536 -n 65536
  done
  by_mkfs "a subvolume" -u rw:many
  # What the top lacks is in the default subvolume.
  make_fs -r src -u default:deep
  { echo "$first"; python3 -I -S "$here/trees.py" list src | sed -n 's, /deep/a, /a,p'; } >want
  "$tree" img /a >got
  cmp want got && echo "ok mkfs's default subvolume" || fail "mkfs's default subvolume" "$(sed -n 2,3p got)"
fi
by_kernel "zlib, 4 KiB nodes" compress-force=zlib -n 4096
by_kernel lzo compress-force=lzo
by_kernel "zstd, 64 KiB nodes" compress-force=zstd -n 65536
by_kernel "all extents small" max_inline=0,compress=zstd

RANDOM=${SEED:-1}
for ((i = 0; i < rounds; i++)); do
  read -ra options <<<"-n $(pick 4096 8192 16384 32768 65536) --csum $(pick crc32c xxhash sha256 blake2)
    -m $(pick single dup) -d $(pick single dup) -O $(pick '' ^)no-holes,$(pick '' ^)skinny-metadata"
  by_mkfs "${options[*]}" "${options[@]}"
  mount_options=$(pick compress-force=zstd:15 compress-force=lzo compress-force=zlib compress=zstd:1 noatime),$(pick max_inline=2048 max_inline=0)
  by_kernel "$mount_options ${options[*]}" "$mount_options" "${options[@]}"
done

# Subvolumes as distributions have them: paths begin at the top, as in GRUB, and then in the default subvolume.
make_fs
if mounted_here noatime; then
  btrfs -q subvolume create mnt/@
  mkdir -p mnt/@/boot/grub2
  echo menu >mnt/@/boot/grub2/grub.cfg
  btrfs -q subvolume create mnt/@/home
  echo mine >mnt/@/home/file
  btrfs -q subvolume create mnt/@/.snapshots
  mkdir mnt/@/.snapshots/1
  btrfs -q subvolume snapshot mnt/@ mnt/@/.snapshots/1/snapshot
  echo changed >>mnt/@/.snapshots/1/snapshot/boot/grub2/grub.cfg
  sync -f mnt
  wanted "$first" mnt
  unmount
  same subvolumes
  grub subvolumes @/boot/grub2/grub.cfg @/home/file @/.snapshots/1/snapshot/boot/grub2/grub.cfg
  mounted_here noatime
  btrfs subvolume set-default mnt/@/.snapshots/1/snapshot
  unmount
  same "another default subvolume"
  grub "another default subvolume" @/boot/grub2/grub.cfg @/.snapshots/1/snapshot/boot/grub2/grub.cfg
  mounted_here noatime # the default one
  { echo "$first"; python3 -I -S "$here/trees.py" list mnt | sed -n '/ \/boot/p'; } >want
  unmount
  "$tree" img /boot >got
  cmp want got && echo "ok paths in the default subvolume" || fail "paths in the default subvolume" "$(sed -n 2,3p got)"
fi

# one_of PROFILE DEVICES: each device alone
loops=()
one_of() {
  local i
  loops=()
  for ((i = 0; i < $2; i++)); do
    truncate -s 0 "dev$i" && truncate -s 300M "dev$i"
    loops+=("$(losetup -f --show "dev$i")")
  done
  # shellcheck disable=SC2317 # a trap calls it
  unmount() {
    [ -z "$mounted" ] || umount "$work/mnt" || true
    mounted=
    [ ${#loops[@]} = 0 ] || losetup -d "${loops[@]}" || true
    loops=()
  }
  if mkfs.btrfs -q -f -L lab -U "$uuid" -d "$1" -m "$1" "${loops[@]}" >mkfs.err 2>&1 &&
    btrfs device scan "${loops[@]}" >/dev/null && mount -t btrfs -o compress=zstd "${loops[0]}" mnt; then
    mounted=1
    python3 -I -S "$here/trees.py" fill mnt
    sync -f mnt
    wanted "$first" mnt
    unmount
    for ((i = 0; i < $2; i++)); do same "device $i of $1" "dev$i"; done
  else
    unmount
    echo "skipped $1: Linux does not mount it"
  fi
}
if [ "$(id -u)" = 0 ] && losetup -f >/dev/null 2>&1; then
  one_of raid1 2
  one_of raid1c3 3
fi

# Damaged nodes are read from their other copy.
size=128M make_fs -r src -m dup
wanted "$first"
[ "$(python3 -I -S "$here/btrfs.py" spoil img)" -gt 10 ] || fail "copies" "nothing to spoil"
same "nodes with a spoilt copy"

make_fs -r src
cp --sparse=always img good
# refuses NAME WORDS FIELD SIZE VALUE: of the superblock
refuses() {
  cp --sparse=always good img
  python3 -I -S "$here/btrfs.py" set img "$3" "$4" "$5"
  refused "$1" "$2"
}
bits=$((0x361)) # what mkfs.btrfs sets
refuses "extent-tree-v2" "unsupported feature: extent_tree_v2" 188 8 $((bits | 0x2000))
refuses "zoned" "unsupported feature: zoned" 188 8 $((bits | 0x1000))
refuses "an unknown feature" "unsupported feature: incompat bit 40" 188 8 $((bits | 1 << 40))
refuses "an unknown checksum" "unknown checksum type 9" 196 2 9
refuses "nodes of 128 KiB" "invalid superblock" 148 4 131072
refuses "an old generation" generation 72 8 1
refuses "no device" "only one device is read" 201 8 7
cp --sparse=always good img
python3 -I -S "$here/btrfs.py" set img 96 8 30408704 # a log tree
says "a log tree" "$first unclean"
cp --sparse=always good img
flip img 65700
refused "superblock with a wrong checksum" checksum
cp --sparse=always good img
truncate -s 100M img
refused "cut off" "do not fit"
exit $failed
