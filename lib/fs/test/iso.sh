#!/bin/bash
# SPDX-License-Identifier: MIT
# iso.sh FS_TREE [ROUNDS]: ISO 9660 made by genisoimage and xorriso, read by our driver, and compared with the tree that it
# was made from and, where it is here, with GRUB's own reader. Then ROUNDS times options at random.
set -euo pipefail
tree=$(realpath "$1") rounds=${2:-5}
here=$(realpath "$(dirname "$0")")
command -v genisoimage >/dev/null || { echo "skipped: no genisoimage"; exit 77; }
# shellcheck source=oracle.sh
. "$here/oracle.sh"

# by TOOL NAME DIR OPTION...: DIR becomes img
by() {
  "$1" -quiet -V LAB -o img "${@:4}" "$3" 2>mkfs.err || { fail "$2" "$(tail -n 1 mkfs.err)"; return 1; }
}

# read_back NAME DIR GRUBS-FILE...: img is DIR's; its date is its UUID
read_back() {
  wanted "iso9660 LAB $(blkid -p -s UUID -o value img)" "$2"
  "$tree" img >all 2>&1 || true
  grep -v '^d /rr_moved$' all >got # where directories that are too deep are moved to
  if diff <(LC_ALL=C sort want) <(LC_ALL=C sort got) >differ; then
    echo "ok $1"
  else
    fail "$1" "$(sed -n 1,6p differ | cut -c 1-160)"
  fi
  grub "$1" "${@:3}"
}

python3 -I -S "$here/trees.py" fill src
mkdir -p src/1/2/3/4/5/6/7/8/9
echo deep >src/1/2/3/4/5/6/7/8/9/file
ln -sf ../.././few/name-1 src/up-link
ln -sf / src/root-link
ln -sf /boot/./grub src/absolute-link
rm src/longer-link # a name of it is longer than a file's may be
files=(kernel text pieces/a boot/grub/grub.cfg)
# Without Rock Ridge: no links, short names, no deep directories.
mkdir -p joliet/Boot joliet/empty plain/boot/grub
cp src/kernel src/tiny src/text joliet/
echo "Größe" >"joliet/Boot/A name with Ünïcode ∑ and blanks"
cp src/kernel src/tiny src/text plain/boot/
echo menu >plain/boot/grub/grub.cfg

if by genisoimage "Rock Ridge" src -R; then read_back "Rock Ridge" src "${files[@]}"; fi
if by genisoimage "Rock Ridge and Joliet" src -R -J; then read_back "Rock Ridge and Joliet" src "${files[@]}"; fi
if by genisoimage "deep directories" src -R -D; then read_back "deep directories" src "${files[@]}" 1/2/3/4/5/6/7/8/9/file; fi
if by genisoimage Joliet joliet -J -input-charset utf-8; then read_back Joliet joliet kernel tiny; fi
if by genisoimage plain plain; then read_back plain plain boot/kernel boot/grub/grub.cfg; fi
if by genisoimage "level 4" plain -iso-level 4; then read_back "level 4" plain boot/kernel boot/grub/grub.cfg; fi
if command -v xorrisofs >/dev/null; then
  ln -sf "$(printf '%0200d/' 1 2 3 4)end" src/longer-link
  if by xorrisofs xorriso src; then read_back xorriso src "${files[@]}"; fi
  if by xorrisofs "xorriso, Joliet as well" src -J; then read_back "xorriso, Joliet as well" src "${files[@]}"; fi
  if by xorrisofs "a partition for it" src -partition_offset 16; then read_back "a partition for it" src "${files[@]}"; fi
  rm src/longer-link
  if by xorrisofs "xorriso, Joliet" joliet -J --norock; then read_back "xorriso, Joliet" joliet kernel tiny; fi
fi

# A file in two extents.
head -c 204800 src/kernel >plain/boot/part1
head -c 99999 src/text >plain/boot/part2
by genisoimage "several extents" plain -R
[ "$(python3 -I -S "$here/iso.py" join img "PART1.;1")" = 1 ] || fail "several extents" "another number of records"
cat plain/boot/part[12] >joined
mv joined plain/boot/part1
rm plain/boot/part2
read_back "several extents" plain boot/part1

# Names without Rock Ridge are the same in any case.
by genisoimage case plain
[ "$("$tree" img /BOOT/Grub/GRUB.CFG | sed -n 's/ [0-9a-f]*$//;2p')" = "f /BOOT/Grub/GRUB.CFG 5" ] && echo "ok case" ||
  fail case "$("$tree" img /BOOT/Grub/GRUB.CFG | tail -n 1)"

RANDOM=${SEED:-1}
for ((i = 0; i < rounds; i++)); do
  read -ra options <<<"-R $(pick -J '') $(pick -D '') -iso-level $(pick 1 2 3) $(pick -l '') $(pick -L '') $(pick -U '')"
  if by genisoimage "${options[*]}" src "${options[@]}"; then read_back "${options[*]}" src kernel pieces/a; fi
done

by genisoimage refused plain -R
cp img good
truncate -s 40K img
refused "cut off" "ISO 9660"
cp good img
printf '\4' | dd of=img bs=1 seek=$((16 * 2048 + 129)) conv=notrunc status=none
refused "blocks of 1 KiB" "block size of 1024"
command -v mkzftree >/dev/null && mkzftree plain zf && genisoimage -quiet -R -z -o img zf &&
  refused zisofs "packed by zisofs" /boot/text
exit $failed
