#!/bin/bash
# The result is a complete image or none: signals, kill -9, full disks and failing writes at many moments.
. "$(dirname "$0")/lib.sh"

system=$(build small)
args=(g1 --system "$system" -o "$out" --boot direct -q)

names_in() { find "$1" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' '; }

# $out has no files, or complete ones. If $1 is set, hidden files of a host without O_TMPFILE are allowed; the next run
# removes them.
whole() {
  local name
  for name in $(names_in "$out"); do
    case $name in
      .g1.*.domstrap-new) [ "$1" = leftovers ] || fail "$2: left behind: $name" ;;
      g1.img) clean "$out/g1.img" ;;
      g1.kernel) cmp "$out/g1.kernel" "$system/kernel" ;;
      g1.initrd) cmp "$out/g1.initrd" "$system/initrd" ;;
      g1.cfg) tail -n 1 "$out/g1.cfg" | grep -q '^on_watchdog' ;;
      *) fail "$2: left behind: $name" ;;
    esac
  done
}

again() { # the next run succeeds, and removes leftovers
  local force=()
  [ -z "$(ls "$out")" ] || force=(--force)
  create "${args[@]}" "${force[@]}" || fail "$1: the next run fails"
  [ "$(names_in "$out")" = "g1.cfg g1.img g1.initrd g1.kernel " ] || { ls -A "$out"; fail "$1: the next run leaves things"; }
  whole none "$1"
  rm "$out"/*
}

# meddled STATUS AT: run with meddle.so, without output; the caller sets MEDDLE and similar variables
meddled() {
  local got=0
  MEDDLE_AT=$2 LD_PRELOAD=$TOOLS/meddle.so create "${args[@]}" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$1" ] || { cat "$work/stderr"; fail "status $got, not $1: $2"; }
}

moments="ftruncate64:1 pwrite64:1 pwrite64:2 pwrite64:5 pwrite64:20 fsync:1 fsync:4 fsync:5"

# ---- signals ----

for at in $moments; do
  for signal in 2 15; do
    MEDDLE="kill -$signal \$PPID" meddled $((128 + signal)) "$at"
    [ -z "$(ls -A "$out")" ] || fail "signal $signal at $at: files are left"
  done
done
again "signals"
echo "signals leave nothing"

# ---- kill -9 ----

names="linkat:1 linkat:2 linkat:4"
for at in $moments fsync:6 $names; do
  MEDDLE="kill -KILL \$PPID" meddled 137 "$at" 2>/dev/null
  whole none "kill -9 at $at"
  again "kill -9 at $at"
done
# A host without O_TMPFILE, and replacing an existing file.
for at in $moments renameat2:1 renameat2:3; do
  MEDDLE_NO_TMPFILE=1 MEDDLE="kill -KILL \$PPID" meddled 137 "$at" 2>/dev/null
  whole leftovers "kill -9 at $at, stand-ins"
  again "kill -9 at $at, stand-ins"
done
create "${args[@]}"
for at in pwrite64:5 fsync:5 linkat:1 renameat2:1 renameat2:2; do
  args+=(--force)
  MEDDLE="kill -KILL \$PPID" meddled 137 "$at" 2>/dev/null
  whole leftovers "kill -9 at $at, --force"
  unset 'args[-1]'
  create "${args[@]}" --force
  whole none "kill -9 at $at, --force"
done
rm "$out"/*
echo "kill -9 leaves nothing half"

# ---- errors ----

for at in $moments fsync:6 linkat:1 linkat:3 linkat:4; do
  MEDDLE_ERRNO=5 meddled 1 "$at"
  [ -z "$(ls -A "$out")" ] || { ls -A "$out"; fail "EIO at $at: files are left"; }
  grep -q 'Input/output error' "$work/stderr" || { cat "$work/stderr"; fail "EIO at $at: not said"; }
  echo "EIO at $at: $(cat "$work/stderr")"
done
again "EIO"

# ---- a full disk ----

mkdir "$WORLD/small"
for size in 64k 1100k 1300k 2m 3m; do
  mount -t tmpfs -o "size=$size" none "$WORLD/small"
  out=$WORLD/small refused 1 'No space left on device' g1 --system "$system" -o "$WORLD/small" --boot direct
  umount "$WORLD/small"
done
# A limit on the size of files, in KiB.
(
  ulimit -f 4000
  refused 1 'File too large' "${args[@]}"
)
[ -z "$(ls -A "$out")" ] || fail "ulimit: files are left"
mount -o bind "$WORLD/small" "$WORLD/small"
mount -o remount,bind,ro "$WORLD/small"
refused 1 'small.*Read-only file system' g1 --system "$system" -o "$WORLD/small"
umount "$WORLD/small"
refused 1 'nowhere: No such file' g1 --system "$system" -o "$WORLD/nowhere"
again "full disks"
echo "full disks leave nothing"
