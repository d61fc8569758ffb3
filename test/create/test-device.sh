#!/bin/bash
# "--disk": block devices are written completely or not at all. Loop devices are used in place of logical volumes.
. "$(dirname "$0")/lib.sh"
need_loop

system=$(build small)

device() { # device SIZE: a loop device over a file of noise, in $loop
  rm -f "$work/device"
  openssl enc -aes-128-ctr -pass pass:noise -nosalt -pbkdf2 </dev/zero 2>/dev/null | head -c "$1" >"$work/device" || true
  loop=$(losetup --show -f "$work/device")
  loops+=("$loop")
}
drop() { losetup -d "$loop"; }
digest() { sync "$work/device"; openssl sha256 -r <"$work/device"; }
found() { blkid -p "$@" "$loop" 2>/dev/null || true; } # what libblkid finds, at any offset

# ---- made ----

# With files of zeros, although the device has other data.
device 80M
medium=$(build medium)
create g1 --system "$medium" -o "$out" -q --disk "$loop" --boot direct
clean "$work/device"
blkid -p "$loop" | grep -q 'PTTYPE="dos"' || fail "no partition table"
blkid -p -O "$start" "$loop" | grep -q 'LABEL="NIXOS".*TYPE="ext4"' || fail "no file system"
grep -q "target=$loop" "$out/g1.cfg" || { cat "$out/g1.cfg"; fail "the config names another disk"; }
[ ! -e "$out/g1.img" ] || fail "an image as well"
sfdisk --verify "$loop" >/dev/null || fail "sfdisk --verify"
list_closure "$medium" >"$work/host"
list_image "$work/device" >"$work/image"
same "$work/host" "$work/image" "the device's store is not the host's"
rm "$out"/*

# ---- refused, untouched ----

before=$(digest)
refuse() { # refuse WHAT STATUS WORDS ARGUMENT...: create is refused, and the device does not change
  local what=$1 status=$2 words=$3
  shift 3
  refused "$status" "$words" g1 --system "$system" -o "$out" --disk "$loop" "$@"
  [ "$(digest)" = "$before" ] || fail "$what: the device was written to"
}
refuse "one that holds a disk" 1 'dos.*--force'
refuse "one that holds a disk, before a cache is asked" 1 'dos.*--force' --from http://127.0.0.1:1
drop

for what in ext4 swap gpt; do
  device 40M
  case $what in
    ext4) mkfs.ext4 -q "$loop" ;;
    swap) mkswap "$loop" >/dev/null ;;
    gpt) echo 'label: gpt' | sfdisk -q "$loop" 2>/dev/null ;;
  esac
  before=$(digest)
  refuse "$what" 1 "$loop: .*$what.*--force"
  create g1 --system "$system" -o "$out" -q --disk "$loop" --force
  clean "$work/device"
  found | grep -q 'PTTYPE="dos"' || fail "--force over $what: $(found)"
  rm "$out"/*
  drop
done

device 40M
mkfs.ext4 -q "$loop"
mkdir "$WORLD/mnt"
mount "$loop" "$WORLD/mnt"
refused 3 'in use' g1 --system "$system" -o "$out" --disk "$loop"
refused 3 'in use' g1 --system "$system" -o "$out" --disk "$loop" --force
umount "$WORLD/mnt"
clean "$work/device" 0
before=$(digest)
refuse "no place for the config" 1 'nowhere: No such' --force --output "$WORLD/nowhere"
drop

device 8M
before=$(digest)
refuse "too small" 1 'too small; [0-9]+ MiB are needed'
refuse "too small, --force" 1 'too small; [0-9]+ MiB are needed' --force
refuse "--size" 2 'keeps its size' --size 1G
drop
device 1000
before=$(digest)
refuse "tiny" 1 'too small'
drop
refused 2 'neither a file nor a block device' g1 --system "$system" -o "$out" --disk /dev/null
refused 1 'No such file' g1 --system "$system" -o "$out" --disk "$WORLD/nowhere"
refused 2 'neither a file nor a block device' g1 --system "$system" -o "$out" --disk "$WORLD"

device 40M
losetup -d "$loop"
loop=$(losetup --show -r -f "$work/device")
loops+=("$loop")
before=$(digest)
refuse "write-protected" 1 'loop[0-9]+: is write-protected'
drop

# ---- sectors of 4 KiB ----

device 40M
drop
loop=$(losetup --show -f --sector-size 4096 "$work/device")
loops+=("$loop")
before=$(digest)
refuse "large sectors" 1 'sectors of 4096 bytes.*--layout split'
drop

# ---- killed, stopped, failing half-way ----

device 40M
for old in ext4 gpt; do
  for at in pwrite64:1 pwrite64:5 pwrite64:20 fsync:1 fsync:2 fsync:3 fsync:4; do
    for how in KILL TERM ERRNO; do
      case $old in
        ext4) wipefs -qa "$loop" 2>/dev/null; mkfs.ext4 -qF "$loop" ;;
        gpt) wipefs -qa "$loop" 2>/dev/null; echo 'label: gpt' | sfdisk -q "$loop" 2>/dev/null ;;
      esac
      old_digest=$(digest)
      got=0
      if [ $how = ERRNO ]; then
        MEDDLE_ERRNO=5 MEDDLE_AT=$at LD_PRELOAD=$TOOLS/meddle.so create g1 --system "$system" -o "$out" -q \
          --disk "$loop" --force 2>"$work/stderr" || got=$?
      else
        MEDDLE="kill -$how \$PPID" MEDDLE_AT=$at LD_PRELOAD=$TOOLS/meddle.so create g1 --system "$system" -o "$out" \
          -q --disk "$loop" --force 2>"$work/stderr" || got=$?
      fi
      if [ $got = 0 ]; then
        # The signal comes too late.
        [ "$how $at" = "TERM fsync:4" ] || fail "$how at $at: status 0"
        clean "$loop"
        rm "$out/g1.cfg"
      fi
      [ -z "$(ls -A "$out")" ] || fail "$how at $at: files are left"
      # The device has its old contents, or nothing that can be mounted, or (before the last sync) all of the new.
      [ "$(digest)" != "$old_digest" ] || continue
      case "$how $at" in
        "KILL fsync:4" | "TERM fsync:4") clean "$loop" ;;
        *) [ -z "$(found)$(found -O $start)" ] || fail "$how at $at over $old: there is $(found)$(found -O $start)" ;;
      esac
    done
  done
done
create g1 --system "$system" -o "$out" -q --disk "$loop"
clean "$work/device"
echo "devices are whole or empty"
