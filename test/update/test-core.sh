#!/bin/bash
# test-core.sh EDITTOOL FAULTS: changes to file systems made by mke2fs, stopped before every write and sync: e2fsck finds
# no errors, and all of a change is there or none of it.
set -euo pipefail
tool=$(realpath "$1") faults=$(realpath "$2")
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C

fail() { echo "test-core.sh: $*" >&2; exit 1; }
check() { e2fsck -fn "$1" >fsck.log 2>&1 || { cat fsck.log >&2; fail "$2: e2fsck finds faults"; }; }
list() { "$tool" "$1" 0 ls / ls /a ls /a/b 2>/dev/null || true; }

mkdir -p tree/sub/deep many
head -c 300000 /dev/urandom >tree/data
ln -s data tree/link
ln -s "$(printf 'x%.0s' {1..100})" tree/sub/long
for i in {1..400}; do echo "$i" >"many/a-file-with-a-rather-long-name-$i"; done

# Recovery by e2fsck and by domstrap's code must have the same result.
stopped() { # KIND AT
  cp --sparse=always x.img theirs.img
  e2fsck -p theirs.img >fsck.log 2>&1 && rc=0 || rc=$?
  [ "$rc" -le 1 ] || { cat fsck.log >&2; fail "$1 at $2: e2fsck -p ends with $rc"; }
  check theirs.img "$1 at $2, replayed by e2fsck"
  "$tool" x.img 0 ls / >log 2>&1 || { cat log >&2; fail "$1 at $2: the next command fails"; }
  check x.img "$1 at $2, replayed by us"
  list x.img >now
  list theirs.img >theirs
  cmp now theirs
  if cmp -s now before; then undone=$((undone + 1)); else
    cmp now after || fail "$1 at $2: neither before nor after"
    finished=$((finished + 1))
  fi
}

# every_step NAME KINDS MKE2FS-OPTION...
every_step() {
  local name=$1 kinds=$2 kind at status undone=0 finished=0
  shift 2
  rm -f base.img
  mke2fs -q "$@" base.img 64M >/dev/null 2>&1
  "$tool" base.img 0 mkdir /a/b add /a old tree add /a/b many many 2>/dev/null
  check base.img base
  # The change: add, delete, make a large directory smaller, create one.
  change=(add /a new tree rm /a old rm /a/b/many a-file-with-a-rather-long-name-7 add /a/b/many x tree mkdir /a/c/d)
  cp base.img whole.img
  FAULT_COUNT=count LD_PRELOAD=$faults "$tool" whole.img 0 "${change[@]}" 2>/dev/null
  check whole.img whole
  steps=$(cat count)
  list base.img >before
  list whole.img >after
  cmp -s before after && fail "the change changes nothing"
  for kind in $kinds; do
    for ((at = 1; at <= steps; at++)); do
      cp --sparse=always base.img x.img
      { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$faults "$tool" x.img 0 "${change[@]}" >log 2>&1; } 2>/dev/null &&
        status=0 || status=$?
      [ "$status" != 0 ] || fail "$kind at $at of $steps: the command says it succeeded"
      stopped "$name: $kind" $at
    done
  done
  [ "$undone" -gt 0 ] && [ "$finished" -gt 0 ] || fail "$name: $undone undone, $finished finished"
  echo "test-core.sh: $name: $steps steps, $kinds: $undone undone, $finished finished"
}
every_step ext4 "kill torn eio" -t ext4 -b 4096
every_step "ext3 of 1 KiB blocks" torn -t ext3 -b 1024 -I 128
every_step "ext4 of 2 KiB blocks" kill -t ext4 -b 2048

# A /boot without a journal is changed in steps. After a stop at any step, the old or the new menu exists with its kernel,
# both on the disk as it is (for GRUB) and after e2fsck -p, which repairs everything without questions.
mkdir -p boot/kernels boot/grub newer
head -c 100000 /dev/urandom >boot/kernels/1
head -c 100000 /dev/urandom >newer/2
{ echo "kernels/1"; seq 1 400; } >boot/grub/grub.cfg
{ echo "kernels/2"; seq 400 900; } >newer/grub.cfg
for i in {1..30}; do echo "$i" >"boot/grub/module-$i"; done
menu_holds() { # IMAGE WHAT: sets menu
  local kernel
  debugfs -R "dump /grub/grub.cfg menu" "$1" >/dev/null 2>&1
  kernel=$(head -n 1 menu)
  debugfs -R "dump /$kernel kernel" "$1" >/dev/null 2>&1
  case $kernel in
    kernels/1) cmp menu boot/grub/grub.cfg && cmp kernel boot/kernels/1 ;;
    kernels/2) cmp menu newer/grub.cfg && cmp kernel newer/2 ;;
    *) false ;;
  esac || fail "$2: neither the old nor the new menu"
  menu=${kernel#*/}
}
stepwise() { # NAME KINDS MKE2FS-OPTION...
  local name=$1 kinds=$2 kind at menu olds=0 news=0
  shift 2
  rm -f base.img
  mke2fs -q -d boot "$@" base.img 16M >/dev/null 2>&1
  change=(add /kernels 2 newer/2 add /grub grub.cfg newer/grub.cfg rm /kernels 1 add /grub more newer/grub.cfg mkdir /fonts)
  cp base.img whole.img
  FAULT_COUNT=count LD_PRELOAD=$faults "$tool" whole.img 0 "${change[@]}" 2>/dev/null
  check whole.img "$name: whole"
  [ "$(debugfs -R "ls -p /kernels" whole.img 2>/dev/null | grep -c /100)" = 1 ] || fail "$name: the old kernel is there"
  debugfs -R "ls -p /grub" whole.img 2>/dev/null | grep -q domstrap && fail "$name: names are left"
  list whole.img >after
  steps=$(cat count)
  for kind in $kinds; do
    for ((at = 1; at <= steps; at++)); do
      cp --sparse=always base.img x.img
      { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$faults "$tool" x.img 0 "${change[@]}" >log 2>&1; } 2>/dev/null &&
        fail "$name: $kind at $at of $steps: the command says it succeeded"
      menu_holds x.img "$name: $kind at $at"
      was=$menu
      e2fsck -p x.img >fsck.log 2>&1 && rc=0 || rc=$?
      [ "$rc" -le 1 ] || { cat fsck.log >&2; fail "$name: $kind at $at: e2fsck -p ends with $rc"; }
      check x.img "$name: $kind at $at"
      menu_holds x.img "$name: $kind at $at, repaired"
      [ "$menu" = "$was" ] || fail "$name: $kind at $at: e2fsck changes the menu"
      if [ "$menu" = 1 ]; then olds=$((olds + 1)); else news=$((news + 1)); fi
      # The same change again, on top of the incomplete one.
      "$tool" x.img 0 add /kernels 2 newer/2 add /grub grub.cfg newer/grub.cfg add /grub more newer/grub.cfg >log 2>&1 ||
        { cat log >&2; fail "$name: $kind at $at: once more"; }
      check x.img "$name: $kind at $at, once more"
      debugfs -R "ls -p /grub" x.img 2>/dev/null | grep -q domstrap && fail "$name: $kind at $at: names are left"
    done
  done
  [ $olds -gt 0 ] && [ $news -gt 0 ] || fail "$name: $olds times the old menu, $news times the new one"
  echo "test-core.sh: $name: $steps steps, $kinds: $olds times the old menu, $news times the new one"
}
stepwise "ext2 of 1 KiB blocks" "kill torn" -t ext2 -b 1024 -I 128
stepwise "ext4 without a journal" kill -t ext4 -O ^has_journal -b 4096
stepwise "ext4 without journal and checksums, 2 KiB" eio -t ext4 -O ^has_journal,^metadata_csum,uninit_bg -b 2048

# A file system that was not unmounted is refused.
rm -f base.img
mke2fs -q -t ext4 base.img 64M >/dev/null 2>&1
cp base.img dirty.img
debugfs -w -R "feature needs_recovery" dirty.img >/dev/null 2>&1
if "$tool" dirty.img 0 ls / >log 2>&1; then fail "a file system in use is taken"; fi
grep -q "e2fsck -p" log || fail "no advice for a file system in use"

# An incomplete change whose log names a block outside the file system is not completed: nothing is written. The journal's
# superblock is block 0 of inode 8; the first tag is 12 bytes into the next block.
every_block() { debugfs -R "blocks <8>" "$1" 2>/dev/null; }
for size in 1024 4096; do
  rm -f base.img
  mke2fs -q -t ext4 -b $size base.img 16M >/dev/null 2>&1
  tag=$(($(every_block base.img | cut -d ' ' -f 2) * size + 12))
  for ((at = 1; ; at++)); do
    cp --sparse=always base.img x.img
    { FAULT_AT=$at FAULT_KIND=kill LD_PRELOAD=$faults "$tool" x.img 0 mkdir /new >/dev/null 2>&1; } 2>/dev/null &&
      fail "$size: no step leaves a log that is not complete"
    cp --sparse=always x.img y.img
    "$tool" y.img 0 ls / 2>&1 | grep -q finished && break
  done
  printf '\0\1\0\0' | dd of=x.img bs=1 seek=$tag conv=notrunc status=none
  cp --sparse=always x.img y.img
  if "$tool" x.img 0 ls / >log 2>&1; then fail "$size: a log that leads out of the file system is taken"; fi
  grep -q "names block" log || { cat log >&2; fail "$size: another error"; }
  cmp x.img y.img || fail "$size: something was written"
done
