#!/bin/bash
# A guest's root disk grows: the file, its partition, the file system; together with a new generation, on one disk and
# on two, and stopped at every step.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
new=$(system 2)

blocks() { dumpe2fs -h "$(part "$1")" 2>/dev/null | awk '/^Block count/ {print $3}'; }
# partition IMAGE: sectors of the first partition, up to the end of the file
fits() {
  [ "$(part "$1")" = "$1" ] && return
  sfdisk -q --verify "$1" 2>&1 | grep -v 'gaps\|No errors\|unallocated' | grep . && fail "$2: sfdisk has something to say"
  [ $(($(sfdisk -d "$1" | sed -n 's/.*size= *\([0-9]*\),.*/\1/p') * 512 + 1048576)) = "$(stat -c %s "$1")" ] ||
    fail "$2: the partition does not end with the disk"
}

for layout in single split; do
  create=(--layout "$layout" --vif none --size 48M)
  [ "$layout" = single ] || create+=(--boot-size 20M)
  "$DOMSTRAP" create g --system "$(system 1)" -q --force "${create[@]}"
  root=g.img
  [ "$layout" = single ] || root=g-root.img
  clean $root create
  at=$(blocks $root)
  for size in +8M 200M +100K +600M 1G; do
    "$DOMSTRAP" update g.cfg --size $size -q
    clean $root "$layout: --size $size"; fits $root "$layout: --size $size"
    now=$(blocks $root)
    [ "$now" -ge "$at" ] || fail "$layout: --size $size: $at blocks became $now"
    at=$now
  done
  [ "$(stat -c %s $root)" = 1073741824 ] && [ "$at" -gt 261000 ] || fail "$layout: 1G has $at blocks"
  "$DOMSTRAP" update g.cfg --system "$new" --size 1200M -q
  clean $root "$layout: both"; fits $root "$layout: both"
  unpack $root tree
  sane tree "$layout: both"
  "$DOMSTRAP" update g.cfg --size 100M 2>log && fail "it shrinks"
  grep -q 'cannot shrink' log || fail "shrinking: $(cat log)"
  "$DOMSTRAP" update g.cfg --size 3T 2>log && fail "beyond the descriptors' room"
  grep -q 'room for the descriptors\|2 TiB' log || fail "3T: $(cat log)"
  [ "$(stat -c %s $root)" = 1258291200 ] || fail "a size that was refused changed the file"
  clean $root "$layout: refused"; fits $root "$layout: refused"
  # Linux takes it, and may write to it.
  if loop=$(losetup -f --show "$root" 2>/dev/null); then
    losetup -d "$loop"
    mkdir -p mnt
    offset=0; [ "$layout" = split ] || offset=1048576
    mount -o loop,offset=$offset $root mnt
    head -c 700000000 /dev/zero >mnt/large
    umount mnt
    clean $root "$layout: after Linux wrote to it"
    # And what Linux leaves in the journal is no hindrance.
    "$DOMSTRAP" update g.cfg --system "$(system 3)" --size +10M -q
    clean $root "$layout: after Linux, and us"
  fi
done

# ---- stopped ----

"$DOMSTRAP" create g --system "$(system 1)" -q --force --vif none --size 48M
cp --sparse=always g.img base.img
run=(update g.img --system "$new" --size 300M -q -j 1)
FAULT_COUNT=$PWD/count LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}"
steps=$(cat count) done_blocks=$(blocks g.img) base_blocks=$(blocks base.img) undone=0 finished=0
for ((at = 1; at <= steps; at++)); do
  for kind in kill eio; do
    [ $kind = kill ] || [ $((at % 4)) = 0 ] || continue
    what="growing, $kind at $at of $steps"
    cp --sparse=always base.img g.img
    { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}" >log 2>&1; } 2>/dev/null && fail "$what: it says that it succeeded"
    cp --sparse=always g.img kept.img
    repair g.img || fail "$what: e2fsck -p"
    clean g.img "$what, replayed by e2fsck"
    theirs=$(blocks g.img)
    cp --sparse=always kept.img g.img
    "$DOMSTRAP" generations g.img >list 2>log || { cat log >&2; fail "$what: the next command fails"; }
    clean g.img "$what, replayed by us"
    [ "$theirs" = "$(blocks g.img)" ] || fail "$what: e2fsck and we disagree"
    case $theirs in
      "$base_blocks") undone=$((undone + 1)); [ "$(wc -l <list)" = 2 ] || fail "$what: half" ;;
      "$done_blocks") finished=$((finished + 1)); [ "$(wc -l <list)" = 3 ] || fail "$what: half" ;;
      *) fail "$what: $theirs blocks" ;;
    esac
    "$DOMSTRAP" "${run[@]}" >log 2>&1 || { cat log >&2; fail "$what: the same command again fails"; }
    clean g.img "$what, again"; fits g.img "$what, again"
    [ "$(blocks g.img)" = "$done_blocks" ] || fail "$what: again, $(blocks g.img) blocks"
  done
done
[ $undone -gt 0 ] && [ $finished -gt 0 ] || fail "$undone undone, $finished finished"
echo "test-grow.sh: $steps steps, $undone undone, $finished finished"
