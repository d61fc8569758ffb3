#!/bin/bash
# SPDX-License-Identifier: MIT
# replay.sh FS_REPLAY FS_TREE EDITTOOL: journals that debugfs wrote and that were not replayed, read by our driver, and
# compared with the same image after e2fsck has replayed them.
set -euo pipefail
replay=$(realpath "$1") tree=$(realpath "$2") edit=$(realpath "$3") here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C
failed=0
ok() { echo "ok $1"; }
bad() { echo "not ok $1"; failed=1; }

mkdir -p src/boot/grub
for i in 1 2 3 4 5 6; do head -c 16384 /dev/urandom >"src/file$i"; done
echo old >src/boot/grub/grub.cfg

blocks() { debugfs -R "blocks $2" "$1" 2>/dev/null | tr ' ' '\n' | sed '/^$/d'; }
commas() { paste -sd, -; }

# made SIZE VERSION MKE2FS-OPTION...: an image with a log of some transactions. VERSION: of the checksums; 0: none.
made() {
  local size=$1 version=$2 open=jo
  shift 2
  rm -f x.img
  mke2fs -q -F -b "$size" -d src "$@" x.img 16M >/dev/null 2>&1
  blocks x.img '<8>' >journal
  [ "$version" = 0 ] || open="jo -c -v $version"
  # Two new files; the first block and one in the middle look like blocks of the journal.
  head -c $((4 * size)) /dev/urandom >new
  for at in 0 $((2 * size)); do printf '\300;9\230\0\0\0\2' | dd of=new bs=1 seek=$at conv=notrunc status=none; done
  head -c "$size" /dev/urandom >one
  head -c "$size" /dev/zero | tr '\0' '\n' >menu
  printf 'new\n' | dd of=menu conv=notrunc status=none
  # The superblock is logged like other blocks; that copy has needs_recovery, too.
  {
    echo "$open"
    echo "jw -b $(blocks x.img /file1 | head -n 4 | commas) new"
    echo "jw -b $(blocks x.img /file2 | head -n 4 | commas) new"
    echo "jw -b $(blocks x.img /boot/grub/grub.cfg | commas) menu"
    echo "jw -r $(blocks x.img /file2 | head -n 2 | commas)"
    echo "jw -b $(blocks x.img /file1 | sed -n 2p) one"
    echo "jw -r $(blocks x.img /file2 | sed -n 3p)"
    echo "jw -b $(blocks x.img /file2 | sed -n 3p) one"
    echo "jw -c -b $(blocks x.img /file3 | sed -n 1p) one" # without a commit: ignored
    echo jc
  } | debugfs -w -f - x.img >debugfs.log 2>&1
}

# same NAME: all is equal except the superblocks of file system and journal
same() {
  local head size
  cp --sparse=always x.img theirs.img
  e2fsck -E journal_only -y theirs.img >fsck.log 2>&1 || { cat fsck.log >&2; bad "$1: e2fsck"; return; }
  "$replay" x.img >ours.img || { bad "$1: fs_replay"; return; }
  head=$(head -n 1 journal) size=$(dumpe2fs -h x.img 2>/dev/null | sed -n 's/^Block size: *//p')
  for f in ours.img theirs.img; do
    dd if=/dev/zero of=$f bs=1024 seek=1 count=1 conv=notrunc status=none
    dd if=/dev/zero of=$f bs=1024 seek=$((head * size / 1024)) count=1 conv=notrunc status=none
  done
  cmp ours.img theirs.img || { bad "$1: not as e2fsck replays it"; return; }
  cmp -s x.img theirs.img && { bad "$1: there was nothing to replay"; return; }
  cp --sparse=always x.img theirs.img
  e2fsck -E journal_only -y theirs.img >fsck.log 2>&1
  cmp <("$tree" x.img | tail -n +2) <("$tree" theirs.img | tail -n +2) || { bad "$1: files"; return; }
  "$tree" x.img | head -n 1 | grep -q unclean || { bad "$1: not said"; return; }
  [ "$("$edit" x.img 0 look cat /boot/grub/grub.cfg 2>/dev/null | head -n 1)" = new ] || { bad "$1: an edit sees something else"; return; }
  ok "$1"
}

# read_as_it_lies NAME TEXT: the log is ignored, and the reason is reported
read_as_it_lies() {
  "$replay" x.img 2>said >/dev/null && { bad "$1: replayed"; return; }
  grep -q "$2" said || { bad "$1: $(cat said)"; return; }
  "$tree" x.img | grep -q "^f /boot/grub/grub.cfg 4 " || { bad "$1: the file system is not read"; return; }
  [ "$("$edit" x.img 0 look cat /boot/grub/grub.cfg 2>/dev/null)" = old ] || { bad "$1: an edit sees something else"; return; }
  ok "$1"
}

for size in 1024 2048 4096; do
  made $size 0 -t ext3; same "ext3, $size"
  made $size 3 -t ext4; same "ext4, $size, checksums 3"
  made $size 2 -t ext4; same "ext4, $size, checksums 2"
  made $size 0 -t ext4 -O ^64bit,^metadata_csum; same "ext4, $size, no 64bit"
  made $size 3 -t ext4 -O ^64bit; same "ext4, $size, no 64bit, checksums 3"
done
made 1024 0 -t ext3; python3 "$here/journal.py" x.img journal old; same "one checksum for a transaction"
log=$(($(wc -l <journal) - 1))
# Each turn moves another block of the log to the journal's end.
for ((n = log - 24; n < log; n++)); do
  made 1024 3 -t ext4
  python3 "$here/journal.py" x.img journal turn $n
  same "round the end, $n"
done

made 1024 3 -t ext4; python3 "$here/journal.py" x.img journal flip 3 100; read_as_it_lies "a block flipped" checksum
made 1024 3 -t ext4; python3 "$here/journal.py" x.img journal flip 6 60; read_as_it_lies "a commit flipped" checksum
made 1024 3 -t ext4; python3 "$here/journal.py" x.img journal flip 0 100; read_as_it_lies "its superblock flipped" "checksum"
made 1024 0 -t ext3; python3 "$here/journal.py" x.img journal old flip 3 100; read_as_it_lies "a block flipped, ext3" checksum
made 1024 0 -t ext3; python3 "$here/journal.py" x.img journal flip 1 13; read_as_it_lies "a block far away" "beyond the end of the file system"
made 1024 0 -t ext3; python3 "$here/journal.py" x.img journal flip 0 14; read_as_it_lies "another block size" superblock
made 1024 0 -t ext4 -O ^metadata_csum; python3 "$here/journal.py" x.img journal fast; read_as_it_lies "fast commits" fast_commit
exit $failed
