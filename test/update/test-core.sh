#!/bin/bash
# test-core.sh EDITTOOL FAULTS: changes of an ext4 file system that mke2fs made, stopped at every step towards the
# disk: e2fsck finds nothing wrong before or after, and all of a change is there or nothing.
set -euo pipefail
tool=$(realpath "$1") faults=$(realpath "$2")
work=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo /tmp)")
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C

fail() { echo "test-core.sh: $*" >&2; exit 1; }
check() { e2fsck -fn "$1" >fsck.log 2>&1 || { cat fsck.log >&2; fail "$2: e2fsck finds faults"; }; }
list() { "$tool" "$1" 0 ls / ls /a ls /a/b 2>/dev/null || true; }

truncate -s 64M base.img
mke2fs -q -t ext4 -b 4096 base.img
mkdir -p tree/sub/deep many
head -c 300000 /dev/urandom >tree/data
ln -s data tree/link
ln -s "$(printf 'x%.0s' {1..100})" tree/sub/long
for i in {1..400}; do echo "$i" >"many/a-file-with-a-rather-long-name-$i"; done
"$tool" base.img 0 mkdir /a/b add /a old tree add /a/b many many 2>/dev/null
check base.img base

# The change: something new, something gone, a large directory smaller, one new.
change=(add /a new tree rm /a old rm /a/b/many a-file-with-a-rather-long-name-7 add /a/b/many x tree mkdir /a/c/d)
cp base.img whole.img
FAULT_COUNT=count LD_PRELOAD=$faults "$tool" whole.img 0 "${change[@]}" 2>/dev/null
check whole.img whole
steps=$(cat count)
list base.img >before
list whole.img >after
cmp -s before after && fail "the change changes nothing"

undone=0 finished=0
for kind in kill torn eio; do
  for ((at = 1; at <= steps; at++)); do
    cp --sparse=always base.img x.img
    { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$faults "$tool" x.img 0 "${change[@]}" >log 2>&1; } 2>/dev/null &&
      status=0 || status=$?
    [ "$status" != 0 ] || fail "$kind at $at of $steps: the command says it succeeded"
    # What e2fsck makes of it, and what we make of it, must be the same.
    cp --sparse=always x.img theirs.img
    e2fsck -p theirs.img >fsck.log 2>&1 && rc=0 || rc=$?
    [ "$rc" -le 1 ] || { cat fsck.log >&2; fail "$kind at $at: e2fsck -p ends with $rc"; }
    check theirs.img "$kind at $at, replayed by e2fsck"
    "$tool" x.img 0 ls / >log 2>&1 || { cat log >&2; fail "$kind at $at: the next command fails"; }
    check x.img "$kind at $at, replayed by us"
    list x.img >now
    list theirs.img >theirs
    cmp now theirs
    if cmp -s now before; then undone=$((undone + 1)); else
      cmp now after || fail "$kind at $at: neither before nor after"
      finished=$((finished + 1))
    fi
  done
done
[ "$undone" -gt 0 ] && [ "$finished" -gt 0 ] || fail "$undone undone, $finished finished"

# A file system that was not unmounted is somebody else's.
cp base.img dirty.img
debugfs -w -R "feature needs_recovery" dirty.img >/dev/null 2>&1
if "$tool" dirty.img 0 ls / >log 2>&1; then fail "a file system in use is taken"; fi
grep -q "e2fsck -p" log || fail "no advice for a file system in use"
echo "test-core.sh: $steps steps, three ways: $undone undone, $finished finished"
