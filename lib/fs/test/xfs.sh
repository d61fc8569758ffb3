#!/bin/bash
# SPDX-License-Identifier: MIT
# xfs.sh FS_TREE [ROUNDS]: XFS made by mkfs.xfs, read by our driver, and compared with the original tree and, if it is
# installed, with GRUB's reader. Trees are written by mkfs.xfs from a protofile; as root also by the kernel, which makes
# fragmented files, shared and preallocated blocks, and directories of every form. Then ROUNDS times with random options.
set -euo pipefail
# In its own mount name space: else one that another test makes meanwhile would keep the mounts in use.
if [ "$(id -u)" = 0 ] && [ -z "${own_mounts:-}" ]; then
  own_mounts=1 exec unshare --mount "$0" "$@"
fi
tree=$(realpath "$1") rounds=${2:-1}
command -v mkfs.xfs >/dev/null || { echo "skipped: no mkfs.xfs"; exit 77; }
here=$(realpath "$(dirname "$0")")
# shellcheck source=oracle.sh
. "$here/oracle.sh"

# make_fs OPTION...: an empty file system
make_fs() { truncate -s 0 img && truncate -s "${size:-320M}" img && mkfs.xfs -q -f -L lab -m "uuid=$uuid" "$@" img 2>mkfs.err; }

# proto NAME OPTION...: filled by mkfs.xfs from a protofile
proto() {
  make_fs "${@:2}" -p "${layout:-layout}" || { fail "$1" "$(cat mkfs.err)"; return; }
  wanted "xfs lab $uuid"
  same "$1"
}

# by_kernel NAME OPTION...: filled by Linux, if it supports the options
by_kernel() {
  [ "$(id -u)" = 0 ] || return 0
  make_fs "${@:2}" || { fail "$1" "$(cat mkfs.err)"; return; }
  mount -o loop,nouuid img mnt 2>/dev/null || { echo "skipped $1: Linux does not mount it"; return 0; }
  mounted=1
  python3 -I -S "$here/trees.py" fill mnt
  cp --reflink=always mnt/kernel mnt/reflinked 2>/dev/null || true
  sync -f mnt
  wanted "xfs lab $uuid" mnt
  unmount
  same "$1, filled by Linux"
  grub "$1" kernel pieces/a
}

python3 -I -S "$here/trees.py" fill src
rm src/longer-link # mkfs.xfs 6.1 writes it without the header of such a block
python3 -I -S "$here/trees.py" proto src >layout
for how in proto by_kernel; do
  $how default
  $how "version 4" -m crc=0,finobt=0
  $how "version 4, 512-byte blocks" -m crc=0,finobt=0 -b size=512 -n size=4096 -i size=256
  $how "without types" -m crc=0,finobt=0 -n ftype=0
  $how "1 KiB blocks" -b size=1024
  $how "2 KiB blocks, large inodes" -b size=2048 -i size=1024
  $how "large directory blocks" -n size=65536
  $how "4 KiB sectors" -s size=4096
  $how "all features" -m finobt=1,rmapbt=1,reflink=1,bigtime=1,inobtcount=1
  $how "few features" -m finobt=0,rmapbt=0,reflink=0 -i sparse=0
done
# mkfs.xfs 6.13 puts data after a hole in the wrong place if blocks are larger than pages; GRUB reads it there, too.
cp -a --sparse=never src dense
python3 -I -S "$here/trees.py" proto dense >layout.dense
layout=layout.dense size=1G proto "64 KiB blocks" -b size=65536
proto "any case" -m crc=0,finobt=0 -n version=ci

RANDOM=${SEED:-1}
for ((i = 0; i < rounds; i++)); do
  block=$(pick 1024 2048 4096) inode=512
  [ "$block" = 1024 ] || inode=$(pick 512 1024)
  read -ra options <<<"-b size=$block -i size=$inode,sparse=$(pick 0 1) -n size=$(pick 4096 8192 16384 65536)
    -m finobt=$(pick 0 1),rmapbt=$(pick 0 1),reflink=$(pick 0 1) -d agcount=$(pick 2 4 7 13)"
  by_kernel "${options[*]}" "${options[@]}"
  proto "${options[*]}" "${options[@]}"
done

# A file system that was not unmounted is reported; damaged and unsupported ones are refused.
make_fs -p layout
says clean "xfs lab $uuid"
if [ "$(id -u)" = 0 ] && mount -o loop,nouuid img mnt 2>/dev/null; then
  mounted=1
  date >mnt/new
  sync -f mnt
  cp img live
  unmount
  says unclean "xfs lab $uuid unclean" live
  says unmounted "xfs lab $uuid"
fi
make_fs -p layout
root=$(od -An -tu1 -j63 -N1 img | tr -d ' ') # the inode number, which is below 256
cp img good
flip img 33 # of the UUID
refused "superblock with a wrong checksum" checksum
cp good img
truncate -s 100M img
refused "cut off" "do not fit"
cp good img
flip img $((root * 512 + 50)) # a time
refused "inode with a wrong checksum" "inode $root"
exit $failed
