#!/bin/bash
# "--wipe": a disk with old data becomes bit for bit the same as a new file, with each method by which a host can clear
# blocks; and "--disk FILE", which keeps the file. Without --wipe, a note names the disk with old data.
. "$(dirname "$0")/lib.sh"

system=$(build small)
nix-store --generate-binary-cache-key test-1 "$work/secret" "$work/public"
nix copy --to "file://$work/cache?compression=zstd&secret-key=$work/secret" "$system" 2>"$work/copy.log" || { cat "$work/copy.log" >&2; fail "nix copy"; }
: >"$work/conf"
from_cache=(--conf "$work/conf" --cache-dir none --from "file://$work/cache" --trusted-key "$(cat "$work/public")")

# New files of these sizes, for comparison; 300M has three groups, so there are copies of superblock and descriptors.
size=300M boot_size=40M
mkdir "$work/new" "$work/new2"
create g --system "$system" -q --no-sigs -o "$work/new" --size $size
create g --system "$system" -q --no-sigs -o "$work/new2" --layout split --size $size --boot-size $boot_size

secret=former-tenants-secret-data-here
full() { # full FILE SIZE: fill every block with the secret
  rm -f "$1"
  yes $secret | head -c "$2" >"$1" || true
}
swept() { # swept FILE NEW WHAT: FILE equals NEW
  ! grep -q tenant "$1" || fail "$3: old data is left: $(grep -c tenant "$1") lines"
  same_image "$1" "$2" || fail "$3: not what a new file is"
  echo "swept: $3"
}

# ---- an existing file ----

for way in punch write; do
  for source in store cache; do
    args=(--system "$system" -q --no-sigs -o "$out" --wipe)
    [ $source = store ] || args+=("${from_cache[@]}")
    meddle=()
    [ $way = punch ] || meddle=(env MEDDLE_NO_PUNCH=1 "LD_PRELOAD=$TOOLS/meddle.so")
    full "$work/f.img" $size
    full "$work/f-boot.img" $boot_size
    inode=$(stat -c %i "$work/f.img")
    chmod 640 "$work/f.img"
    "${meddle[@]}" "$DOMSTRAP" create g "${args[@]}" --disk "$work/f.img"
    swept "$work/f.img" "$work/new/g.img" "file, $way, $source"
    [ "$(stat -c '%i %a' "$work/f.img")" = "$inode 640" ] || fail "the file is another one now, or has another mode"
    grep -q "target=$work/f.img" "$out/g.cfg" || { cat "$out/g.cfg" >&2; fail "the config names another disk"; }
    [ "$(ls "$out")" = g.cfg ] || fail "other files were made: $(ls "$out")"
    rm "$out/g.cfg"
    full "$work/f.img" $size
    "${meddle[@]}" "$DOMSTRAP" create g "${args[@]}" --layout split --root-disk "$work/f.img" --boot-disk "$work/f-boot.img"
    swept "$work/f.img" "$work/new2/g-root.img" "file, $way, $source, root"
    swept "$work/f-boot.img" "$work/new2/g-boot.img" "file, $way, $source, boot"
    rm "$out/g.cfg"
  done
done
# A sparse file remains sparse, and an allocated one allocated.
truncate -s 300M "$work/sparse.img"
create g --system "$system" -q --no-sigs -o "$out" --disk "$work/sparse.img" --wipe
swept "$work/sparse.img" "$work/new/g.img" "a sparse file"
[ "$(du -k "$work/sparse.img" | cut -f1)" -lt 40000 ] || fail "it is $(du -k "$work/sparse.img") KiB now"
rm "$out/g.cfg"
if fallocate -l 300M "$work/whole.img" 2>/dev/null; then
  create g --system "$system" -q --no-sigs -o "$out" --disk "$work/whole.img" --wipe
  swept "$work/whole.img" "$work/new/g.img" "an allocated file"
  [ "$(du -k "$work/whole.img" | cut -f1)" -ge 300000 ] || fail "it is $(du -k "$work/whole.img") KiB now"
  rm "$out/g.cfg"
fi

# Without --wipe: made, with the note. With --wipe and --dry-run: the plan, and nothing is written.
full "$work/f.img" $size
create g --system "$system" --no-sigs -o "$out" --disk "$work/f.img" 2>"$work/stderr" >"$work/stdout"
grep -q "^note: $work/f.img has old data .*--wipe" "$work/stderr" || { cat "$work/stderr" >&2; fail "no note"; }
clean "$work/f.img"
grep -q tenant "$work/f.img" || fail "it wipes without being asked"
rm "$out/g.cfg"
truncate -s 300M "$work/fresh.img"
create g --system "$system" --no-sigs -o "$out" --disk "$work/fresh.img" 2>"$work/stderr" >"$work/stdout"
! grep -q '^note' "$work/stderr" || { cat "$work/stderr" >&2; fail "a note about an empty disk"; }
rm "$out/g.cfg"
full "$work/f.img" $size
before=$(openssl sha256 -r <"$work/f.img")
create g --system "$system" --no-sigs -o "$out" --disk "$work/f.img" --wipe --dry-run 2>"$work/stderr" >"$work/stdout"
grep -Eq "^would wipe 29[0-9] MiB of $work/f.img that the image does not fill; it takes about " "$work/stderr" || { cat "$work/stderr" >&2; fail "no plan"; }
create g --system "$system" --no-sigs -o "$out" --disk "$work/f.img" --wipe --dry-run --json -q >"$work/stdout"
python3 - "$work/stdout" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))["disks"][0]
assert 290 << 20 < d["wipeBytes"] < 300 << 20 and d["wipeSeconds"] == 0 and d["inPlace"] and not d["device"], d
PY
[ "$(openssl sha256 -r <"$work/f.img")" = "$before" ] || fail "--dry-run wrote"

# ---- refused ----

refused 2 '--wipe requires --disk' g1 --system "$system" -o "$out" --wipe
refused 2 'keeps its size' g1 --system "$system" -o "$out" --disk "$work/f.img" --size 1G
refused 1 'sparse.img: .*dos.*--force' g1 --system "$system" -o "$out" --disk "$work/sparse.img"
refused 2 'neither a file nor a block device' g1 --system "$system" -o "$out" --disk /dev/null
refused 1 'No such file' g1 --system "$system" -o "$out" --disk "$work/nowhere.img"
: >"$work/empty.img"
refused 1 'empty.img: has 0 bytes; set its size' g1 --system "$system" -o "$out" --disk "$work/empty.img"
exec 9<"$work/f.img"
flock -x 9
refused 3 'locked by another program' g1 --system "$system" -o "$out" --disk "$work/f.img"
exec 9<&-
[ "$(openssl sha256 -r <"$work/f.img")" = "$before" ] || fail "a refusal wrote"
# Secrets in a file that others can read.
chmod 644 "$work/f.img"
ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/hostkey"
create g --system "$system" -q --no-sigs -o "$out" --disk "$work/f.img" --ssh-host-key "$work/hostkey" 2>"$work/stderr"
grep -q '^warning: .*will hold secrets, but has mode 644' "$work/stderr" || { cat "$work/stderr" >&2; fail "no warning of readers"; }
rm "$out/g.cfg"

# ---- stopped, failing: nothing valid is left ----

for at in fallocate64:1 fallocate64:2 fsync:1 fsync:2 fsync:3; do
  for how in KILL TERM ERRNO; do
    full "$work/f.img" $size
    got=0
    if [ $how = ERRNO ]; then
      [[ $at = fsync* ]] || continue
      MEDDLE_ERRNO=5 MEDDLE_AT=$at LD_PRELOAD=$TOOLS/meddle.so create g --system "$system" -o "$out" -q --no-sigs --wipe \
        --disk "$work/f.img" 2>"$work/stderr" || got=$?
    else
      MEDDLE="kill -$how \$PPID" MEDDLE_AT=$at LD_PRELOAD=$TOOLS/meddle.so create g --system "$system" -o "$out" -q \
        --no-sigs --wipe --disk "$work/f.img" 2>"$work/stderr" || got=$?
    fi
    [ -e "$work/f.img" ] || fail "$how at $at: the file is gone"
    if [ $got = 0 ]; then
      swept "$work/f.img" "$work/new/g.img" "$how at $at, too late"
      rm "$out/g.cfg"
      continue
    fi
    found=$(blkid -p "$work/f.img"; blkid -p -O "$start" "$work/f.img") || true
    [ -z "$found" ] || fail "$how at $at: there is $found"
    [ -z "$(ls -A "$out")" ] || fail "$how at $at: files are left: $(ls -A "$out")"
  done
done

# ---- block devices ----

[ -z "$no_loop" ] || { echo "no block devices: $no_loop"; exit 0; }
full "$work/device" $size
loop=$(losetup --show -f "$work/device")
loops+=("$loop")
queue=/sys/block/${loop##*/}/queue
refused 3 'loop device' g1 --system "$system" -o "$out" --disk "$work/device"
again() { yes $secret | dd of="$loop" bs=1M iflag=fullblock count=300 status=none oflag=direct || true; }
sweep() { # sweep WHAT [ENVIRONMENT...] -- ARGUMENT...
  local what=$1 env=()
  shift
  while [ "$1" != -- ]; do env+=("$1"); shift; done
  shift
  again
  env "${env[@]}" "$DOMSTRAP" create g --system "$system" -q --no-sigs -o "$out" --disk "$loop" --wipe --force "$@"
  sync "$work/device"
  swept "$work/device" "$work/new/g.img" "device, $what"
  rm "$out/g.cfg"
}
sweep "as it is" --
sweep "as it is, from a cache" -- "${from_cache[@]}"
sweep "without giving back" MEDDLE_NO_PUNCH=1 "LD_PRELOAD=$TOOLS/meddle.so" --
sweep "writing zeros" MEDDLE_NO_PUNCH=1 MEDDLE_NO_ZEROOUT=1 "LD_PRELOAD=$TOOLS/meddle.so" --
# As on a thin volume: discard without guaranteed zeros. Blocks that are zero already are not written.
if [ "$(cat "$queue/discard_max_bytes")" != 0 ]; then
  echo 0 >"$work/nought"
  if mount --bind "$work/nought" "$queue/write_zeroes_max_bytes" 2>/dev/null; then
    sweep "as a thin one" MEDDLE_NO_PUNCH=1 "LD_PRELOAD=$TOOLS/meddle.so" --
    fallocate -d "$work/device"
    blkdiscard -f "$loop"
    env MEDDLE_NO_PUNCH=1 "LD_PRELOAD=$TOOLS/meddle.so" "$DOMSTRAP" create g --system "$system" -q --no-sigs -o "$out" --disk "$loop" --wipe --force
    sync "$work/device"
    swept "$work/device" "$work/new/g.img" "a thin one, fresh"
    [ "$(du -k "$work/device" | cut -f1)" -lt 100000 ] || fail "a thin volume is full now: $(du -k "$work/device")"
    umount "$queue/write_zeroes_max_bytes"
  fi
fi
echo "test-wipe.sh: ok"
