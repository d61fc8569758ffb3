#!/bin/bash
# Growing a guest's root disk: the file, its partition, the file system; together with a new generation, on one disk and on
# two, and stopped at every step.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
new=$(system 2)

blocks() { debugfs -R 'stats -h' "$(part "$1")" 2>/dev/null | awk '/^Block count/ {print $3}'; }
# fits IMAGE: the first partition extends to the end of the file
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
  grep -q 'growth to\|2 TiB' log || fail "3T: $(cat log)"
  [ "$(stat -c %s $root)" = 1258291200 ] || fail "a size that was refused changed the file"
  clean $root "$layout: refused"; fits $root "$layout: refused"
  # Linux can mount it and write to it.
  if loop=$(losetup -f --show "$root" 2>/dev/null); then
    losetup -d "$loop"
    mkdir -p mnt
    offset=0; [ "$layout" = split ] || offset=1048576
    mount -o loop,offset=$offset $root mnt
    head -c 700000000 /dev/zero >mnt/large
    umount mnt
    clean $root "$layout: after Linux wrote to it"
    # domstrap can change it again after Linux has used the journal.
    "$DOMSTRAP" update g.cfg --system "$(system 3)" --size +10M -q
    clean $root "$layout: after Linux, and us"
  fi
done

# ---- the boot disk ----

"$DOMSTRAP" create b --system "$(system 1)" -q --force --vif none --layout split --size 48M --boot-size 20M
at=$(blocks b-boot.img) root_at=$(blocks b-root.img)
"$DOMSTRAP" update b.cfg --boot-size +8M --dry-run >out
grep -q 'would enlarge .*b-boot.img to 28.0 MiB' out || fail "--boot-size --dry-run: $(cat out)"
[ "$(stat -c %s b-boot.img)" = 20971520 ] || fail "--dry-run enlarges"
"$DOMSTRAP" update b.cfg --boot-size +8M -q
[ "$(stat -c %s b-boot.img) $(blocks b-boot.img)" = "29360128 $((at + 2048))" ] || fail "--boot-size: $(blocks b-boot.img) blocks"
"$DOMSTRAP" update b.cfg --boot-size 400M --size +8M --system "$new" -q
clean b-boot.img "--boot-size"; clean b-root.img "--boot-size"
[ "$(($(blocks b-boot.img) > 100000)) $(blocks b-root.img)" = "1 $((root_at + 2048))" ] || fail "--boot-size with --size"
unpack b-root.img tree
sane tree "--boot-size"
rm -rf bootdir; mkdir bootdir; debugfs b-boot.img -R "rdump / bootdir" >/dev/null 2>&1
entries tree bootdir || fail "--boot-size: the menu"
"$DOMSTRAP" update g.img --boot-size +8M 2>log && fail "--boot-size without a boot disk"
grep -q -e '--boot-size requires' log || fail "--boot-size without a boot disk: $(cat log)"

# ---- other tables ----

disk_of() { # disk_of LABEL SFDISK-LINES: x.img, with base.fs as the partition at 8 MiB
  rm -f x.img; truncate -s 80M x.img
  printf 'label: %s\n%s\n' "$1" "$2" | sfdisk -q x.img 2>/dev/null
  dd if=base.fs of=x.img bs=1M seek=8 conv=notrunc,sparse status=none
}
root_clean() { # its file system
  rm -f x.fs; dd if=x.img of=x.fs bs=1M skip=8 conv=sparse status=none
  clean x.fs "$1"
}
quiet() { sfdisk -q --verify x.img 2>&1 | grep -v 'gaps\|No errors\|unallocated' | grep . && fail "$1: sfdisk has something to say"; return 0; }
"$DOMSTRAP" create r --system "$(system 1)" -q --force --vif none --size 48M
dd if=r.img of=base.fs bs=1M skip=1 conv=sparse status=none
two='start=2048, size=8192
start=16384, size=96256, name=root'
disk_of gpt "$two"
printf 'boot code' | dd of=x.img conv=notrunc status=none
uuids=$(sfdisk -d x.img | grep -o 'uuid=[^,]*\|^label-id.*')
for size in +20M 300M; do
  "$DOMSTRAP" update x.img --size $size -q
  root_clean "GPT, --size $size"; quiet "GPT, --size $size"
  [ "$(sfdisk -d x.img | grep -o 'uuid=[^,]*\|^label-id.*')" = "$uuids" ] || fail "GPT, --size $size: other names"
done
[ "$(head -c 9 x.img)" = "boot code" ] || fail "GPT: the boot code is gone"
[ "$(blocks x.fs)" = $(((300 * 1048576 - 8388608 - 33 * 512) / 4096)) ] || fail "GPT: $(blocks x.fs) blocks"
"$DOMSTRAP" update x.img --size +8M --system "$new" -q
root_clean "GPT, with a system"
# A partition that cannot grow is refused without changes; one enlarged by another program is used.
other() { # other WHAT LABEL LINES
  disk_of "$2" "$3"
  cp --sparse=always x.img was.img
  "$DOMSTRAP" update x.img --size +20M 2>log && fail "$1: grows"
  grep -q 'neither the last primary one of an MBR nor the last of a GPT' log || fail "$1: $(cat log)"
  cmp x.img was.img || fail "$1: refused, and it has changed"
  "$DOMSTRAP" update x.img --size +20M --dry-run 2>log && fail "$1: --dry-run says that it grows"
  "$DOMSTRAP" update x.img --size all -q
  root_clean "$1, --size all"
  [ "$(blocks x.fs)" -gt 15000 ] || fail "$1, --size all: $(blocks x.fs) blocks"
}
other "GPT, not the last" gpt 'start=16384, size=122880
start=143360, size=2048'
other "MBR, not the last" dos 'start=16384, size=122880
start=143360, size=2048'
other "MBR, a logical one" dos 'start=2048, size=160000, type=5
start=16384, size=122880'

# A GPT on a device that has grown by blocks with data of a former user: they are cleared, except for the old backup table,
# which is valid until the new one is written.
if losetup -f >/dev/null 2>&1; then
  disk_of gpt "$two"
  yes former-tenants-secret-data | head -c 100M >>x.img || true
  loop=$(losetup -f --show x.img)
  "$DOMSTRAP" update "$loop" --size all --wipe -q || { losetup -d "$loop"; fail "GPT on a device, --wipe"; }
  sync x.img
  losetup -d "$loop"
  ! grep -q tenant x.img || fail "GPT on a device, --wipe: old data is left"
  [ "$(tail -c +$((80 * 1048576 - 511)) x.img | head -c 8)" = "EFI PART" ] || fail "GPT on a device, --wipe: the old copy was cleared"
  root_clean "GPT on a device, --wipe"; quiet "GPT on a device, --wipe"
  [ "$(blocks x.fs)" -gt 40000 ] || fail "GPT on a device, --wipe: $(blocks x.fs) blocks"
fi

# After a stop at any step, also between the two tables of a GPT, at least one is valid.
disk_of gpt "$two"
cp --sparse=always x.img base.img
FAULT_COUNT=$PWD/count LD_PRELOAD=$FAULTS "$DOMSTRAP" update x.img --size 200M -q
steps=$(cat count) done_blocks=$(root_clean x; blocks x.fs)
for ((at = 1; at <= steps; at++)); do
  chosen $at || continue
  for kind in kill torn eio; do
    what="GPT, $kind at $at of $steps"
    cp --sparse=always base.img x.img
    { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$FAULTS "$DOMSTRAP" update x.img --size 200M -q >log 2>&1; } 2>/dev/null && fail "$what: it says that it succeeded"
    sfdisk -d x.img >list 2>/dev/null || true
    [ "$(grep -c '^x.img' list)" = 2 ] || fail "$what: sfdisk finds no table"
    "$DOMSTRAP" generations x.img >list 2>log || { cat log >&2; fail "$what: the next command fails"; }
    "$DOMSTRAP" update x.img --size 200M -q >log 2>&1 || { cat log >&2; fail "$what: the same command again fails"; }
    root_clean "$what"; quiet "$what"
    [ "$(blocks x.fs)" = "$done_blocks" ] || fail "$what: again, $(blocks x.fs) blocks"
  done
done

# ---- stopped ----

"$DOMSTRAP" create g --system "$(system 1)" -q --force --vif none --size 48M
cp --sparse=always g.img base.img
run=(update g.img --system "$new" --size 300M -q -j 1)
FAULT_COUNT=$PWD/count LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}"
steps=$(cat count) done_blocks=$(blocks g.img) base_blocks=$(blocks base.img) undone=0 finished=0
for ((at = 1; at <= steps; at++)); do
  chosen $at || continue
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
