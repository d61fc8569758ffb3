#!/bin/bash
# wipe.sh [WORKDIR]: time "create --wipe" on a device full of old data, create without it, and clearing the device first
# with dd or blkdiscard. The device is a loop device of SIZE MiB, which can release blocks; "zeros" simulates a host that
# cannot, so that every byte is written (LD_PRELOAD of the tests' meddle.so). Interleaved rounds, medians, everything
# synced. Needs root, and twice SIZE in WORKDIR (default: build/bench).
#   ROUNDS=3 SIZE=4096
. "$(dirname "$0")/common.sh"
domstrap=$(built domstrap)
meddle=$build/test/create/meddle.so
rounds=${ROUNDS:-3} size=${SIZE:-4096}
system=$("$here/closure.sh" "$work")
run=$(mktemp -d "$work/run.XXXXXX")
loop=
trap '[ -z "$loop" ] || losetup -d "$loop"; rm -rf "$run"' EXIT
: >"$run/conf"
truncate -s "${size}M" "$run/disk"
loop=$(losetup --show -f "$run/disk")

fill() { yes old-data-of-a-former-tenant | dd of="$loop" bs=4M iflag=fullblock oflag=direct count=$((size / 4)) status=none || true; sync; }
timed() {
  fill
  measured "$@" >"$run/out" 2>&1 || { tail -n 20 "$run/out" >&2; exit 1; }
}
create() { "$domstrap" create g --system "$system" -o "$run" -f -q --conf "$run/conf" --disk "$loop" "$@"; }
export -f create
export domstrap system run loop meddle
for ((r = 0; r < rounds; r++)); do
  timed create bash -c 'create'
  timed wipe bash -c 'create --wipe'
  timed wipe-zeros bash -c 'MEDDLE_NO_PUNCH=1 MEDDLE_NO_ZEROOUT=1 LD_PRELOAD=$meddle create --wipe'
  timed blkdiscard-z bash -c 'blkdiscard -z -f "$loop" && create'
  timed dd bash -c 'dd if=/dev/zero of="$loop" bs=4M oflag=direct conv=fsync status=none 2>/dev/null; create'
done
echo "a device of $size MiB, full of old data, medians of $rounds rounds"
printf '%-28s %8s %10s\n' '' 'wall s' 'by create'
for what in create wipe wipe-zeros blkdiscard-z dd; do
  printf '%-28s %8.3f %10.2f\n' "$what" "$(column $what 1 | median)" "$(ratio $what create)"
done
