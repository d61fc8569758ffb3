#!/bin/bash
# Menus written by NixOS: after update, rollback and gc, only their generations have changed, and what they boot exists; for
# GRUB's menu in two forms and for extlinux's. Initrds with secrets are kept; other menus are refused.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${DOMGRUB:?}"

# Unpack the disks, and restore the dates of links, which debugfs drops.
dump() {
  local link
  unpack "$root" tree
  if [ "$layout" = split ]; then
    rm -rf tree/boot; mkdir tree/boot
    debugfs "$boot" -R "rdump / tree/boot" >/dev/null 2>&1
  fi
  for link in tree/nix/var/nix/profiles/system-*-link; do
    touch -h -d "@$((16#$(debugfs "$(part "$root")" -R "stat ${link#tree}" 2>/dev/null | sed -n 's/.*mtime: 0x\([0-9a-f]*\).*/\1/p')))" "$link"
  done
}
edit() { debugfs -w -f commands "$(part "$boot")" >/dev/null 2>&1; clean "$boot" "$form, $layout: the test's own change"; }
expect() { python3 "$here/menus.py" "$form" tree "$(grub_boot)"; }
grub_boot() { [ "$layout" = split ] || echo /boot; }

# Check the menu's text, its files, and what boots.
check() { # WHAT GENERATION
  dump
  expect >want
  diff want "tree/boot/$menu" || fail "$form, $layout: $1: the menu"
  clean "$root" "$form: $1"; clean "$boot" "$form: $1"
  if [ "$form" != extlinux ]; then grub-script-check "tree/boot/$menu" || fail "$form, $layout: $1: GRUB does not take it"; fi
  "$DOMGRUB" -qn --output-format=simple "$boot" >answer || fail "$form, $layout: $1: does not boot"
  grep -q "generation=$2\b" answer || fail "$form, $layout: $1: boots $(cat answer)"
  grep -oE "(kernels|nixos)/[^ ;]*" want | sort -u >files
  while read -r f; do [ -s "tree/boot/$f" ] || fail "$form, $layout: $1: $f is not there"; done <files
}

for form in grub grub-old extlinux; do
  for layout in single split; do
    # Start from disks made by domstrap, changed as by nixos-rebuild in the guest: copied kernels, NixOS's menu.
    root=g.img boot=g.img menu=grub/grub.cfg at=/boot create=(--layout "$layout" --size 96M)
    if [ "$layout" = split ]; then create+=(--boot-size 24M) root=g-root.img boot=g-boot.img at=''; fi
    [ "$form" != extlinux ] || menu=extlinux/extlinux.conf
    dir=kernels; [ "$form" != extlinux ] || dir=nixos
    "$DOMSTRAP" create g --system "$(system 1)" -q --force --vif none --fs-identifier provided "${create[@]}"
    dump; expect >new; echo rescue >rescue
    { printf 'rm %s/grub/grub.cfg\nmkdir %s/%s\nmkdir %s/extlinux\nwrite rescue %s/%s/rescue\nwrite new %s/%s\n' "$at" "$at" "$dir" "$at" "$at" "$dir" "$at" "$menu"
      nix-store -qR "$(system 1)" | grep -E -- '-(linux|initrd-linux)-' | while read -r path; do
        for f in bzImage initrd; do [ ! -e "$path/$f" ] || echo "write $path/$f $at/$dir/${path#/nix/store/}-$f"; done; done
    } >commands; edit
    [ "$form" = grub ] || { echo "rm $at/$dir/rescue" >commands; edit; }
    check "as NixOS wrote it" 1
    "$DOMSTRAP" update g.cfg --system "$(system 2)" -q; check "update" 2
    "$DOMSTRAP" update g.cfg --system "$(system 5 special)" -q
    check "update with specialisations" 5
    "$DOMSTRAP" rollback g.cfg -q; check "rollback" 2
    "$DOMSTRAP" rollback g.cfg --to 1 -q; check "rollback --to 1" 1
    "$DOMSTRAP" rollback g.cfg --to 2 -q
    "$DOMSTRAP" gc g.cfg --older-than 0 -q; check "gc" 2
    [ "$(find tree/boot/$dir -type f | wc -l)" = "$([ "$form" = grub ] && echo 3 || echo 2)" ] ||
      fail "$form, $layout: gc left $(ls tree/boot/$dir)"
  done
done

# Initrds with secrets are kept as long as their systems exist; and the warnings about secrets.
form=grub layout=split root=s-root.img boot=s-boot.img menu=grub/grub.cfg
one=$(system 1 "" some) two=$(system 2 "" some) none=$(system 3 "" none)
"$DOMSTRAP" create s --system "$one" --vif none --layout split --size 96M --boot-size 24M --fs-identifier provided -q 2>says
grep -q "boot.initrd.secrets: the guest starts without them" says || fail "create says nothing of secrets: $(cat says)"
"$DOMSTRAP" check s.cfg >says || true
grep -q "no initrd contains its boot.initrd.secrets" says || fail "check says nothing of secrets"
"$DOMSTRAP" check --system "$two" >says || true
grep -q "no initrd contains its boot.initrd.secrets" says || fail "check --system says nothing of secrets"
"$DOMSTRAP" check --system "$none" >says || true
! grep -q secrets says || fail "check takes a program that adds nothing for secrets"
secret() { echo "secret of ${1##*/}" >secret; printf 'write secret /kernels/%s-secrets\n' "${1##*/}"; }
mkdir -p tree/boot/kernels; dump; { echo rescue >rescue; echo "write rescue /kernels/rescue"; secret "$one"; } >commands; edit
dump; expect >new; printf 'rm /grub/grub.cfg\nwrite new /grub/grub.cfg\n' >commands; edit
check "secrets as NixOS wrote them" 1
"$DOMSTRAP" update s.cfg --system "$one" -q 2>says; check "the same system again" 1
[ ! -s says ] || fail "a warning where nothing is amiss: $(cat says)"
"$DOMSTRAP" check s.cfg >says || true
grep -q "has a second initrd" says || fail "check does not see the secrets"
"$DOMSTRAP" update s.cfg --system "$two" -q 2>says; check "a system with secrets" 2
grep -q "boot.initrd.secrets, but its menu entry" says || fail "update says nothing of secrets: $(cat says)"
"$DOMSTRAP" update s.cfg --system "$none" -q --limit 1 2>says
[ ! -s says ] || fail "a warning for a system without secrets: $(cat says)"
dump; [ -s "tree/boot/kernels/${one##*/}-secrets" ] || fail "a limit took the secrets of a generation"
"$DOMSTRAP" rollback s.cfg --to 1 -q
"$DOMSTRAP" update s.cfg --system "$none" -q --limit 9; check "a larger limit again" 3
"$DOMSTRAP" gc s.cfg --keep 1 -q; check "gc" 3
[ ! -e "tree/boot/kernels/${one##*/}-secrets" ] || fail "gc left the secrets of a system that is gone"

# Menus in other forms are refused, and nothing is written.
refused() { # WHAT SAYS
  cp s-root.img before-root.img; cp s-boot.img before-boot.img
  for command in "update s.cfg --system $two" "rollback s.cfg"; do
    # shellcheck disable=SC2086 # words
    if "$DOMSTRAP" $command -q 2>says; then fail "$1: $command writes it"; fi
    grep -q "$2" says || fail "$1: $command says $(cat says)"
    if ! cmp s-root.img before-root.img || ! cmp s-boot.img before-boot.img; then fail "$1: $command changed something"; fi
  done
}
"$DOMSTRAP" update s.cfg --system "$one" -q 2>/dev/null
dump
sed 's/submenu "NixOS - All configurations"/submenu "Others"/' tree/boot/grub/grub.cfg >new
printf 'rm /grub/grub.cfg\nwrite new /grub/grub.cfg\n' >commands; edit
refused "a menu that is not NixOS's" "/grub/grub.cfg: not a menu written by NixOS"
grep -q "start the guest" says || fail "it is not said what to do"
{ cat tree/boot/grub/grub.cfg; echo "if true; then"; } >new
printf 'rm /grub/grub.cfg\nwrite new /grub/grub.cfg\n' >commands; edit
refused "a menu with a mistake" "not a menu written by NixOS"
echo "test-menus.sh: ok"
