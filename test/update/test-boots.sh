#!/bin/bash
# Bootable systems are GC roots: in guests whose menu another program wrote, and in guests whose config sets the kernel.
# gc keeps everything that a menu or config can boot. If domstrap cannot make another generation boot, it reports this
# before it changes anything. domgrub shows what boots.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${DOMGRUB:?}"
export MTOOLS_SKIP_CHECK=1
printf 'check-kernel = no\nknown-kernels = no\n' >dg.conf
one=$(system 1) two=$(system 2)
kernel=$(readlink -f "$one/kernel") initrd=$(readlink -f "$one/initrd")

edit() { debugfs -w -f - "$(part "$1")" >/dev/null 2>&1; }
has() { debugfs -R "stat $2" "$(part "$1")" 2>/dev/null | grep -q '^Inode'; }
boots() { # DISK: what domgrub boots by default
  "$DOMGRUB" --config=dg.conf -qn --output-format=simple "$@" 2>/dev/null | sed -n 's/^args //p'
}
json() { # EXPRESSION ARGUMENTS...: print EXPRESSION of domstrap's JSON output o
  local what=$1
  shift
  "$DOMSTRAP" "$@" --json >json.out || true
  python3 -c "import json; o = json.load(open('json.out')); print($what)"
}
is() { [ "$1" = "$2" ] || fail "$3: '$1', not '$2'"; }
unchanged() { same_image "$1" "$2" || fail "$3 changes $1"; }
create() { "$DOMSTRAP" create g --system "$one" -q --force --vif none --size 64M "$@"; }
no_grub() { printf 'rm /boot/grub/grub.cfg\nrm /boot/grub/state\n' | edit "$1"; }

# refuses WHAT WORDS: update and rollback do not change g.img, and gc deletes nothing that can boot
refuses() {
  local what=$1 words=$2 before
  cp --sparse=always g.img kept.img
  ends 1 "$words" update g.cfg --system "$two"
  ends 1 "$words" update g.cfg --system "$two" --dry-run
  ends 1 "$words" rollback g.cfg --to 1
  ends 1 "$words" update g.cfg --config no-such-configuration.nix
  unchanged kept.img g.img "$what: a refused command"
  before=$(boots "${@:3}")
  [ -n "$before" ] || fail "$what: domgrub boots nothing"
  ends 0 '^deleted 0 store paths' gc g.cfg --keep 1
  [ "$(boots "${@:3}")" = "$before" ] || fail "$what: after gc another system boots"
  has g.img "$one/init" || fail "$what: gc deletes what boots"
  clean g.img "$what"
}

# Two generations, of which only the first is in the menu, which domstrap does not write.
second() { # IMAGE: add generation 2 and set the profile to it; the menu does not change
  debugfs -R "dump /boot/grub/grub.cfg menu.was" "$(part "$1")" 2>/dev/null
  "$DOMSTRAP" update g.cfg --system "$two" -q
}

# ---- systemd-boot's entries, on the root

systemd_boot() { # DIRECTORY PREFIX: entries for generation 1
  mkdir -p "$1/loader/entries"
  printf 'default nixos-generation-1.conf\ntimeout 5\n' >"$1/loader/loader.conf"
  printf 'title NixOS\nsort-key nixos\nversion Generation 1 NixOS 25.11, built on 2026-01-01\nlinux %s/k.efi\ninitrd %s/i.efi\noptions init=%s/init console=hvc0\n' \
    "$2" "$2" "$one" >"$1/loader/entries/nixos-generation-1.conf"
}
create
second g.img
no_grub g.img
systemd_boot sd /boot/nixos
printf '%s\n' "mkdir /boot/loader" "mkdir /boot/loader/entries" "write sd/loader/loader.conf /boot/loader/loader.conf" \
  "write sd/loader/entries/nixos-generation-1.conf /boot/loader/entries/nixos-generation-1.conf" \
  "mkdir /boot/nixos" "write $kernel /boot/nixos/k.efi" "write $initrd /boot/nixos/i.efi" | edit g.img
ends 0 'generation 1 stays: .*/boot/loader boots it' gc g.cfg --keep 1 --dry-run
refuses "systemd-boot" 'boots from \(hd0,msdos1\)/boot/loader, Boot Loader Specification entries.*nixos-rebuild boot' g.img
ends 0 'generation 1 stays: ' gc g.cfg --older-than 0

# ---- the same on an ESP, which is the first disk

create
second g.img
no_grub g.img
rm -rf sd
systemd_boot sd /EFI/nixos
mkdir -p sd/EFI/nixos
cp "$kernel" sd/EFI/nixos/k.efi; cp "$initrd" sd/EFI/nixos/i.efi
truncate -s 40M esp.img
mkfs.vfat esp.img >/dev/null
mcopy -s -i esp.img sd/* ::
sed -i "s#^disk = \[#disk = [ \"format=raw,vdev=xvdz,access=rw,target=$PWD/esp.img\",#" g.cfg
refuses "ESP" 'boots from \(hd0\)/loader, Boot Loader Specification entries' esp.img

# ---- GRUB legacy, and a grub.cfg in another place

create
second g.img
no_grub g.img
printf 'default 0\ntitle one\n root (hd0,0)\n kernel %s init=%s/init\n initrd %s\n' "$kernel" "$one" "$initrd" >menu.lst
printf 'write menu.lst /boot/grub/menu.lst\n' | edit g.img
refuses "menu.lst" 'boots from \(hd0,msdos1\)/boot/grub/menu.lst, a GRUB legacy menu' g.img

create
second g.img
no_grub g.img
printf 'menuentry one {\n linux %s init=%s/init\n initrd %s\n}\n' "$kernel" "$one" "$initrd" >grub.cfg
printf 'mkdir /boot/grub2\nwrite grub.cfg /boot/grub2/grub.cfg\n' | edit g.img
refuses "grub2" 'boots from \(hd0,msdos1\)/boot/grub2/grub.cfg, a GRUB menu that is not at' g.img

# ---- a menu that cannot be read, no menu, and one with entries that cannot be evaluated

create
"$DOMSTRAP" update g.cfg --system "$two" -q
cp --sparse=always g.img both.img
no_grub g.img
printf 'if true; then\n' >grub.cfg
printf 'write grub.cfg /boot/grub/grub.cfg\n' | edit g.img
cp --sparse=always g.img kept.img
for command in "update g.cfg --system $one" "rollback g.cfg" "gc g.cfg --keep 1" "gc g.cfg"; do
  # shellcheck disable=SC2086 # words
  ends 1 'boot menu cannot be evaluated, so what boots is not known' $command
done
unchanged kept.img g.img "a broken menu"
ends 0 '^   2[+] ' generations g.cfg
grep -q '^boots by default: unknown: ' said || { cat said >&2; fail "what is not known is not said"; }
cp --sparse=always both.img g.img
no_grub g.img
cp --sparse=always g.img kept.img
for command in "update g.cfg --system $one" "rollback g.cfg" "gc g.cfg --keep 1"; do
  # shellcheck disable=SC2086
  ends 1 'cannot boot: the config names no kernel, and its disks have no boot menu' $command
  # shellcheck disable=SC2086
  ends 1 'no boot menu; the guest.s kernel is on the host; .*xl config' ${command/g.cfg/g.img}
done
unchanged kept.img g.img "a guest without a menu"

# ---- every entry counts, not only the default: a manual entry, one in a submenu, a link of a profile

cp --sparse=always both.img g.img
three=$(system 3)
"$DOMSTRAP" update g.cfg --system "$three" -q
"$DOMSTRAP" update g.cfg --system "$(system 4)" -q
debugfs -R "dump /boot/grub/grub.cfg grub.cfg" "$(part g.img)" 2>/dev/null
mkdir -p extra
printf 'default 0\ntitle one\n root (hd0,0)\n kernel %s init=%s/init\n initrd %s\ntitle two\n root (hd0,0)\n kernel %s init=/nix/var/nix/profiles/system-2-link/init\n' \
  "$kernel" "$one" "$initrd" "$kernel" >menu.lst
no_grub g.img
printf 'write menu.lst /boot/grub/menu.lst\n' | edit g.img
ends 0 'generation 2 stays: ' gc g.cfg --keep 1
grep -q 'generation 1 stays: ' said || fail "an entry that is not the default keeps nothing"
grep -q '^deleted generation 3' said || { cat said >&2; fail "what nothing boots stays"; }
for s in "$one" "$two" "$(system 4)"; do has g.img "$s/init" || fail "gc deletes $s, which an entry boots"; done
! has g.img "$three" || fail "gc leaves $three"
clean g.img "entries"

# ---- the config's own init=, beside a menu

cp --sparse=always both.img g.img
printf 'extra = "init=%s/init"\n' "$one" >>g.cfg
cp --sparse=always g.img kept.img
ends 1 "adds init=$one/init to every entry of the boot menu" update g.cfg --system "$three"
ends 1 'adds init=' rollback g.cfg
unchanged kept.img g.img "a config with an init= of its own"
ends 0 'generation 1 stays: .*g.cfg boots it' gc g.cfg --keep 1
has g.img "$one/init" || fail "gc deletes what the config's init= boots"

# ---- the boot helper's arguments in the config

cp --sparse=always both.img g.img
create_cfg() { cp plain.cfg g.cfg; printf '%s\n' "$1" >>g.cfg; }
sed '/^extra/d' g.cfg >plain.cfg
create_cfg 'bootloader_args = [ "-q", "--entry", "1>1" ]'
ends 0 '^   1[*] ' generations g.cfg
cp --sparse=always g.img kept.img
ends 1 "would not boot .* by default \\($two\\)" update g.cfg --system "$three"
ends 0 '^   2[+] ' generations g.cfg
create_cfg 'bootloader_args = [ "--entry=0" ]'
ends 0 '^   2[*] ' generations g.cfg
create_cfg "bootloader_args = [ '--args=init=$one/init' ]"
ends 0 '^   1[*] ' generations g.cfg
ends 1 'adds init=' update g.cfg --system "$three"
create_cfg "kernel = '$kernel'
extra = 'init=$one/init'"
ends 0 '^   1[*] ' generations g.cfg
ends 1 'its kernel= is a path in the guest' update g.cfg --system "$three"
ends 0 'generation 1 stays: .*g.cfg boots it' gc g.cfg --keep 1

# ---- a menu whose default cannot be changed: the result is evaluated before it takes effect

for layout in single split; do
  root=g.img boot=g.img menu=/boot/grub/grub.cfg
  [ $layout = single ] || root=g-root.img boot=g-boot.img menu=/grub/grub.cfg
  create --layout $layout
  "$DOMSTRAP" update g.cfg --system "$two" -q
  debugfs -R "dump $menu grub.cfg" "$(part $boot)" 2>/dev/null
  cp --sparse=always $root both-root.img; [ $layout = single ] || cp --sparse=always $boot both-boot.img
  # At its end, the menu selects generation 1, whatever domstrap writes before that.
  cp grub.cfg stubborn.cfg
  printf 'menuentry "mine" --id mine {\n  %s\n  %s\n}\nset default=mine\n' \
    "$(sed -n 's/^ *\(linux .*generation=1.*\)/\1/p' grub.cfg | head -n 1)" "$(sed -n 's/^ *\(initrd .*\)/\1/p' grub.cfg | head -n 1)" >>stubborn.cfg
  { printf 'menuentry "by hand" {\n'; sed -n '/^set default=mine/d; /^menuentry "mine"/,/^}/p' stubborn.cfg | tail -n +2; } >byhand
  printf 'rm %s\nwrite stubborn.cfg %s\n' $menu $menu | edit $boot
  before=$(boots $boot)
  grep -q "init=$one/init" <<<"$before" || fail "$layout: the stubborn menu boots '$before'"
  for command in "update g.cfg --system $three" "rollback g.cfg --to 2"; do
    # shellcheck disable=SC2086
    ends 1 "would not boot .* by default \($one\); nothing was changed" $command
    is "$(boots $boot)" "$before" "$layout: $command"
    is "$(json '[(g["generation"], g["current"]) for g in o["generations"]]' generations g.cfg)" "[(1, False), (2, True)]" "$layout: $command"
    clean $root "$layout: $command"; clean $boot "$layout: $command"
  done
  # gc does not delete what the menu boots.
  ends 0 '^deleted 0 store paths' gc g.cfg --keep 1
  is "$(boots $boot)" "$before" "$layout: gc"
  # A manual entry is not a generation, but what it boots is not deleted either.
  cat grub.cfg byhand >stubborn.cfg
  cp --sparse=always both-root.img $root; [ $layout = single ] || cp --sparse=always both-boot.img $boot
  printf 'rm %s\nwrite stubborn.cfg %s\n' $menu $menu | edit $boot
  ends 1 "\"by hand\" would still boot $one, which is to be deleted; nothing was changed" gc g.cfg --keep 1
  has $root "$one/init" || fail "$layout: gc deletes what an entry by hand boots"
  clean $root "$layout: gc"; clean $boot "$layout: gc"
  ends 0 '^   2[*] ' generations g.cfg
  ends 0 '^deleted 0 store paths' gc g.cfg
done

# ---- output about it

# The profile points at 2, the menu boots 1.
create
second g.img
printf 'rm /boot/grub/grub.cfg\nwrite menu.was /boot/grub/grub.cfg\n' | edit g.img
ends 0 '^   1[*] ' generations g.cfg
for words in '^   2[+] ' '^boots by default: generation 1, by (hd0,msdos1)/boot/grub/grub.cfg$' '^the profile points at generation 2$'; do
  grep -q "$words" said || { cat said >&2; fail "generations does not say: $words"; }
done
is "$(json '[(g["generation"], g["current"], g["default"]) for g in o["generations"]], o["boot"]["generation"], o["boot"]["profileGeneration"], o["boot"]["by"]' generations g.cfg)" \
  "[(1, False, True), (2, True, False)] 1 2 menu" generations
ends 0 '^boots +generation 1, by .*grub.cfg; the profile points at generation 2$' inspect g.cfg
is "$(json 'o["nixos"]["boot"]["generation"]' inspect g.cfg)" 1 inspect
ends 0 ' 25.11.001 .* boots by default: generation 1, by ' list g.cfg
is "$(json 'o["guests"][0]["generation"], o["guests"][0]["version"]' list g.cfg)" "1 25.11.001" list
ends 0 '^warning: boots by default: generation 1, .*; the profile points at generation 2' verify g.cfg
"$DOMSTRAP" check g.cfg >said 2>&1 || true
grep -q '^warning: boots by default: generation 1, .*; the profile points at generation 2' said || { cat said >&2; fail "check"; }
"$DOMSTRAP" rollback g.cfg --to 2 -q
ends 0 '^   2[*] ' generations g.cfg
! grep -q boots said || fail "what needs no words has some"
ends 0 '^OK: ' verify g.cfg
! grep -q warning said || fail "verify warns of nothing"

# The config's kernel and init= decide, whatever is on the disks.
create --boot direct
ends 0 '^   1[*] ' generations g.cfg
is "$(json 'o["boot"]["by"], o["boot"]["initFound"]' generations g.cfg)" "config True" "a config's kernel"
sed -i "s#init=$one#init=/nix/store/$(basename "$one" | tr a b)#" g.cfg
ends 4 "^error: g.cfg: init=/nix/store/" verify g.cfg
ends 0 '^boots by default: none of the generations, init=/nix/store/' generations g.cfg
sed -i "s#init=[^ ]*/init#init=/nix/var/nix/profiles/system/init#" g.cfg
ends 0 '^   1[*] ' generations g.cfg
ends 0 '^OK: ' verify g.cfg
echo "test-boots.sh: ok"
