#!/bin/bash
# Update, rollback and gc of a guest, on one disk and on two, checked with real Nix, e2fsck and a newly made boot menu.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

for layout in single split; do
  create=(--layout "$layout" --vif none --size 96M)
  [ "$layout" = single ] || create+=(--boot-size 24M)
  "$DOMSTRAP" create g$layout --system "$(system 1)" -q --force "${create[@]}"
  root=g$layout.img boot=g$layout.img
  [ "$layout" = single ] || root=g$layout-root.img boot=g$layout-boot.img
  cfg=g$layout.cfg
  check() {
    clean "$root" "$layout: $1"; clean "$boot" "$layout: $1"
    same_generations "$cfg" "$root" tree
    sane tree "$layout: $1"
    bootdir=tree/boot
    [ "$layout" = single ] || { rm -rf bootdir; mkdir bootdir; debugfs "$boot" -R "rdump / bootdir" >/dev/null 2>&1; bootdir=bootdir; }
    entries tree $bootdir || fail "$layout: $1: the menu"
  }
  check create
  for n in 2 3 4; do
    if [ $n = 3 ]; then # on a terminal, with its progress bar
      TERM=xterm script -qec "$DOMSTRAP update $cfg --system $(system $n)" typescript >/dev/null || { cat typescript; fail "update on a terminal"; }
      grep -q '[0-9]%.* of .* paths' typescript || { cat -v typescript; fail "no progress bar"; }
    else
      "$DOMSTRAP" update $cfg --system "$(system $n)" -q
    fi
    check "update $n"
  done
  [ -z "$(dead tree)" ] || fail "$layout: Nix would delete what update added"
  grep -q 'generation=4' $bootdir/grub/grub.cfg || fail "$layout: the menu lacks generation 4"
  "$DOMSTRAP" update $cfg --system "$(system 4)" -q
  check "update 4 again"
  [ "$("$DOMSTRAP" generations $cfg | wc -l)" = 5 ] || fail "$layout: the same system twice made a generation"
  "$DOMSTRAP" rollback $cfg -q
  check rollback
  grep -m1 '^  linux ' $bootdir/grub/grub.cfg | grep -q 'generation=3' || fail "$layout: rollback did not change the default"
  "$DOMSTRAP" gc $cfg --keep 1 --dry-run >plan
  check "gc --dry-run"
  "$DOMSTRAP" gc $cfg --keep 1 -q
  check gc
  [ "$(cut -d' ' -f1 ours | tr '\n' ' ')" = "3 4 " ] || fail "$layout: gc kept $(tr '\n' ' ' <ours)"
  [ -z "$(dead tree)" ] || fail "$layout: Nix would still delete: $(dead tree)"
  "$DOMSTRAP" update $cfg --system "$(system 5 special)" -q
  check "update with specialisations"
  "$DOMSTRAP" rollback $cfg --to 3 -q
  check "rollback --to"
  "$DOMSTRAP" gc $cfg --older-than 0 -q
  check "gc --older-than"
  [ "$(cat ours)" = "3 current" ] || fail "$layout: gc --older-than 0 kept $(cat ours)"
  [ -z "$(dead tree)" ] || fail "$layout: Nix would still delete: $(dead tree)"
done
echo "test-flow.sh: ok"
