#!/bin/bash
# Guests on block devices: create, update, rollback, gc and growth, on one device and on two; refused if the device is open
# or mounted.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
losetup -f >/dev/null 2>&1 || skip "no loop devices"
loops=()
# shellcheck disable=SC2154 # l is assigned right there
trap 'umount mnt 2>/dev/null || true; for l in "${loops[@]}"; do losetup -d "$l" 2>/dev/null || true; done' EXIT

device() { # device FILE SIZE: make a loop device, and set loop to it
  truncate -s "$2" "$1"
  loop=$(losetup -f --show "$1")
  loops+=("$loop")
}

for layout in single split; do
  device root.$layout 64M; root=$loop
  create=(--layout "$layout" --vif none --root-disk "$root") boot=$root
  [ $layout = single ] || { device boot.$layout 24M; boot=$loop; create+=(--boot-disk "$boot"); }
  "$DOMSTRAP" create d --system "$(system 1)" -q --force "${create[@]}"
  check() {
    clean "$root" "$layout: $1"; clean "$boot" "$layout: $1"
    same_generations d.cfg "$root" tree
    sane tree "$layout: $1"
    bootdir=tree/boot
    [ $layout = single ] || { rm -rf bootdir; mkdir bootdir; debugfs "$boot" -R "rdump / bootdir" >/dev/null 2>&1; bootdir=bootdir; }
    entries tree $bootdir || fail "$layout: $1: the menu"
  }
  check create
  "$DOMSTRAP" update d.cfg --system "$(system 2)" -q
  check update
  "$DOMSTRAP" update d.cfg --system "$(system 3)" -q
  "$DOMSTRAP" rollback d.cfg --to 2 -q
  check rollback
  "$DOMSTRAP" gc d.cfg --keep 1 -q
  check gc
  [ "$(tr '\n' ' ' <ours)" = "2 current 3  " ] || fail "$layout: gc kept $(cat ours)"
  [ -z "$(dead tree)" ] || fail "$layout: Nix would still delete: $(dead tree)"

  # The device has become larger.
  status=0
  "$DOMSTRAP" update d.cfg --system "$(system 3)" --wipe 2>log || status=$?
  [ $status = 2 ] || fail "$layout: --wipe without --size: $status"
  "$DOMSTRAP" update d.cfg --size +8M 2>log && fail "$layout: larger than the device"
  grep -q 'the device has 64' log || fail "$layout: larger than the device: $(cat log)"
  # The new blocks have data of a former user.
  yes former-tenants-secret-data | head -c 136M >>root.$layout || true
  losetup -c "$root"
  "$DOMSTRAP" update d.cfg --size +32M --dry-run 2>log >out
  grep -q "^note: $root has old data .*--wipe" log || { cat log >&2; fail "$layout: no note of old data"; }
  "$DOMSTRAP" update d.cfg --size +32M --wipe --dry-run 2>log >out
  grep -Eq "^would wipe 13[0-9] MiB of $root " log || { cat log >&2; fail "$layout: no plan to wipe"; }
  grep -q tenant root.$layout || fail "$layout: --dry-run wrote"
  "$DOMSTRAP" update d.cfg --size +32M --wipe -q
  check "--size +32M"
  sync root.$layout
  ! grep -q tenant root.$layout || fail "$layout: old data is left"
  "$DOMSTRAP" update d.cfg --size all --system "$(system 4)" -q
  check "--size all"
  [ "$(debugfs -R 'stats -h' "$(part "$root")" 2>/dev/null | awk '/^Block count/ {print $3}')" -gt 50000 ] || fail "$layout: --size all"

  # In use.
  refused() { # refused WHAT
    local status=0 before c
    before=$(sha256sum <root.$layout)
    for c in "update d.cfg --system $(system 5)" "rollback d.cfg" "gc d.cfg" "update d.cfg --size +1M"; do
      status=0
      # shellcheck disable=SC2086
      "$DOMSTRAP" $c >out 2>log || status=$?
      [ $status = 3 ] || { cat log >&2; fail "$layout: $1: $c: status $status, not 3"; }
      grep -Eq 'in use|busy|mounted' log || fail "$layout: $1: $c says $(cat log)"
    done
    [ "$before" = "$(sha256sum <root.$layout)" ] || fail "$layout: $1: refused, and the device has changed"
    echo "$layout: $1: $(cat log)"
  }
  mkdir -p mnt
  options=ro; [ $layout = split ] || options=ro,loop,offset=1048576
  mount -o $options "$root" mnt
  refused mounted
  umount mnt
  python3 - "$root" <<'PY' &
import os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
open("open", "w").close()
time.sleep(600)
PY
  holder=$!
  for _ in {1..100}; do [ ! -e open ] || break; sleep 0.1; done
  refused "open for itself alone"
  kill $holder
  wait $holder 2>/dev/null || true
  rm open
  "$DOMSTRAP" rollback d.cfg -q
  check "after it was free again"
done
echo "test-device.sh: ok"
