#!/bin/bash
# A generation on trial: the next start boots it, the start after that the default again, as domgrub evaluates the menu with
# --write-env; confirm, rollback, gc and further updates; what cannot be tried is refused, and nothing changes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${DOMGRUB:?}"
printf 'check-kernel = no\nknown-kernels = no\n' >dg.conf
one=$(system 1) two=$(system 2) three=$(system 3) four=$(system 4) special=$(system 5 special)

edit() { debugfs -w -f - "$(part "$1")" >/dev/null 2>&1; }
json() { # EXPRESSION ARGUMENTS...: print EXPRESSION of domstrap's JSON output o
  local what=$1
  shift
  "$DOMSTRAP" "$@" --json >json.out || fail "$*: $(cat json.out)"
  python3 -c "import json; o = json.load(open('json.out')); print($what)"
}
is() { [ "$1" = "$2" ] || fail "$layout: $3: '$1', not '$2'"; }
at() { [ "$layout" = split ] || echo /boot; }
env_block() { rm -f env; debugfs -R "dump $(at)/grub/grubenv env" "$(part "$boot")" 2>/dev/null; }
variables() { env_block; grub-editenv env list; }
# refused_late STATUS WORDS COMMAND...: nothing of it is visible, only free blocks may have changed
refused_late() {
  local before
  keep
  before=$(states)
  ends "$@"
  clean "$root" "$*"; clean "$boot" "$*"
  cmp kept/g.cfg g.cfg || fail "$*: the config changed"
  is "$(states)" "$before" "$*"
}
# start WANTED: start the guest, which boots generation WANTED
start() {
  mkdir -p out
  "$DOMGRUB" --config=dg.conf -q --write-env --output-format=simple --output-directory=out "$boot" >answer 2>log || fail "$layout: domgrub: $(cat log)"
  grep -q "generation=$1\b" answer || fail "$layout: not generation $1: $(cat answer)"
}
check() { # WHAT: both file systems, Nix's and the menu
  clean "$root" "$layout: $1"; clean "$boot" "$layout: $1"
  same_generations g.cfg "$root" tree
  sane tree "$layout: $1"
  env_block
  [ "$(stat -c %s env)" = 1024 ] || fail "$layout: $1: grubenv has $(stat -c %s env) bytes"
}
states() { # print each generation: N* for the default, N+ for the profile's, and its trial
  json '" ".join("%d%s%s%s" % (g["generation"], "*" * g["default"], "+" * g["current"], g["trial"] or "") for g in o["generations"])' generations g.cfg
}
same_states() {
  is "$(states)" "$1" "$2"
  is "$(json '" ".join("%d%s%s%s" % (g["generation"], "*" * g["default"], "+" * g["current"], g["trial"] or "") for g in o["nixos"]["generations"])' inspect g.cfg)" \
    "$1" "$2, inspect"
}
make() { # OPTION...: a guest with generations 1 and 2
  rm -f g*.img g.cfg
  "$DOMSTRAP" create g --system "$one" -q --force --vif none --layout "$layout" "$@"
  "$DOMSTRAP" update g.cfg --system "$two" -q
}
keep() { rm -rf kept; mkdir kept; cp --sparse=always g*.img g.cfg kept/; }
restore() { cp --sparse=always kept/* .; }
unchanged() {
  local f
  for f in kept/*; do cmp "$f" "${f#kept/}" >&2 || fail "$layout: $1 changes ${f#kept/}"; done
}
refused() { # STATUS WORDS COMMAND...: it changes nothing
  keep
  ends "$@"
  unchanged "$*"
}

for layout in single split nojournal; do
  root=g.img boot=g.img create=(--size 96M) plain=$layout
  if [ $layout != single ]; then root=g-root.img boot=g-boot.img create+=(--boot-size 24M); fi
  layout=${layout/nojournal/split}
  make "${create[@]}"
  if [ "$plain" = nojournal ]; then tune2fs -O ^has_journal g-boot.img >/dev/null; fi
  cp g.cfg before.cfg
  disks=("$root"); [ "$root" = "$boot" ] || disks+=("$boot")

  # To be tried
  keep
  ends 0 '^would make generation 3: .*; on trial at the next start$' update g.cfg --system "$three" --try --dry-run
  unchanged "--dry-run"
  ends 0 '^generation 3: .*; on trial at the next start$' update g.cfg --system "$three" --try
  check "--try"
  is "$(diff before.cfg g.cfg | grep '^[<>]' || true)" '> bootloader_args = [ "--write-env" ]' "the config"
  same_states "1 2*+ 3next" "to be tried"
  ends 0 '^ +3 .*\(to be tried at the next start\)$' generations g.cfg
  ends 0 '^boots by default: generation 2, by .*; the next start, and only that, boots generation 3$' generations g.cfg
  ends 0 '\(to be tried at the next start\)' inspect g.cfg
  is "$(json 'o["boot"]["next"]["generation"]' generations g.cfg)" 3 "boot.next"
  ends 0 'and only that, boots generation 3' list g.cfg
  ends 0 '' verify g.cfg
  variables | grep -q "^next_entry=NixOS - All configurations>NixOS - Configuration 3 (.*)$" || fail "$layout: next_entry: $(variables)"
  variables | grep -qx "domstrap_try=$three" || fail "$layout: domstrap_try"
  variables | grep -qx "domstrap_kept=$two" || fail "$layout: domstrap_kept"
  mkdir -p pending && rm -f pending/* && cp --sparse=always g*.img g.cfg pending/

  # Tried, not confirmed
  start 3
  same_states "1 2*+ 3tried" "tried"
  ends 0 '^ +3 .*\(tried and not confirmed\)$' generations g.cfg
  start 2
  same_states "1 2*+ 3tried" "and back"
  ends 0 'generation 3 stays: .*has tried it; it is not confirmed yet' gc g.cfg --older-than 0
  check "gc after a trial"
  same_states "2*+ 3tried" "gc after a trial"
  ends 0 '^would confirm generation 3' confirm g.cfg --dry-run
  ends 0 "^confirmed generation 3: $three\$" confirm g.cfg
  check "confirm"
  same_states "2 3*+" "confirmed"
  start 3; start 3
  is "$(variables)" "" "variables after confirm"
  refused 1 'no generation is on trial' confirm g.cfg

  # Still to be tried: gc keeps it and the default, and its entry is found when others are gone
  cp --sparse=always pending/* .
  ends 0 'generation 3 stays: .*boots it at the next start' gc g.cfg --older-than 0
  check "gc before a trial"
  same_states "2*+ 3next" "gc before a trial"
  start 3; start 2

  # What grub-reboot in the guest chose is kept by gc, but is no trial
  cp --sparse=always pending/* .
  "$DOMSTRAP" rollback g.cfg -q
  env_block
  debugfs -R "dump $(at)/grub/grub.cfg menu" "$(part "$boot")" 2>/dev/null
  grub-editenv env set "next_entry=NixOS - All configurations>$(sed -n 's/^menuentry "\(NixOS - Configuration 1 .*\)" --class.*/\1/p' menu)"
  printf 'rm %s/grub/grubenv\nwrite env %s/grub/grubenv\n' "$(at)" "$(at)" | edit "$boot"
  ends 0 'generation 1 stays: .*boots it at the next start' gc g.cfg --older-than 0
  is "$(variables | grep -c '^domstrap' || true)" 0 "variables after grub-reboot"
  start 1; start 2

  # Another trial, rollback, and an update replace it
  cp --sparse=always pending/* .
  is "$(json '(o["trial"], o["generation"], o["endedTrial"])' update g.cfg --system "$four" --try)" "(True, 4, 3)" "another trial"
  check "another trial"
  same_states "1 2*+ 3 4next" "another trial"
  is "$(json '(o["generation"], o["endedTrial"])' rollback g.cfg --dry-run)" "(2, 4)" "rollback --dry-run"
  keep
  start 4; start 2
  restore
  ends 0 '^ended the trial of generation 4$' rollback g.cfg
  check "rollback of a trial"
  same_states "1 2*+ 3 4" "rollback of a trial"
  start 2
  ends 0 "^generation 1: $one\$" rollback g.cfg
  start 1
  cp --sparse=always pending/* .
  ends 0 '^ended the trial of generation 3$' update g.cfg --system "$four"
  same_states "1 2 3 4*+" "update ends a trial"
  start 4; start 4
  cp --sparse=always pending/* .
  ends 0 '^confirmed generation 3' confirm g.cfg
  same_states "1 2 3*+" "confirmed before its start"
  start 3; start 3

  # The same system again: the same generation, on trial again
  cp --sparse=always pending/* .
  start 3; start 2
  ends 0 '^generation 3: ' update g.cfg --system "$three" --try
  same_states "1 2*+ 3next" "on trial again"
  start 3; start 2

  # With specialisations its entry is in a submenu
  ends 0 '^generation 4: ' update g.cfg --system "$special" --try
  variables | grep -q '^next_entry=NixOS - All configurations>0>NixOS - Configuration 4 - Default (' || fail "$layout: $(variables)"
  start 5; start 2
  "$DOMSTRAP" confirm g.cfg -q
  start 5; start 5

  # Other variables stay; a block of another size becomes one of 1024 bytes
  cp --sparse=always pending/* .
  grub-editenv kept.env create; grub-editenv kept.env set saved_entry=x 'other=a\b' domstrap_tried=old
  { head -c 600 kept.env; head -c 2000 /dev/zero | tr '\0' '#'; } >long.env
  for env in kept.env long.env; do
    cp --sparse=always pending/* .
    printf 'rm %s/grub/grubenv\nwrite %s %s/grub/grubenv\n' "$(at)" $env "$(at)" | edit "$boot"
    "$DOMSTRAP" update g.cfg --system "$four" --try -q
    check "$env"
    is "$(variables | grep -v '^next_entry=\|^domstrap_[tk]' | tr '\n' ' ')" 'saved_entry=x other=a\b ' "variables of $env"
    ! variables | grep -q '^domstrap_tried' || fail "$layout: an old trial stays"
    start 4; start 2
  done
  head -c 1024 /dev/urandom >bad.env
  printf 'rm %s/grub/grubenv\nwrite bad.env %s/grub/grubenv\n' "$(at)" "$(at)" | edit "$boot"
  refused_late 1 "grub/grubenv is not GRUB's environment block; remove it" update g.cfg --system "$three" --try
  ends 0 '^generation ' update g.cfg --system "$three"
  printf 'rm %s/grub/grubenv\nwrite /dev/null %s/grub/grubenv\n' "$(at)" "$(at)" | edit "$boot"
  "$DOMSTRAP" rollback g.cfg --to 2 -q
  "$DOMSTRAP" update g.cfg --system "$three" --try -q
  check "an empty block"
  start 3; start 2

  # What cannot be tried
  cp --sparse=always pending/* .
  "$DOMSTRAP" rollback g.cfg -q
  refused 1 'generation 2 is this system and boots by default' update g.cfg --system "$two" --try
  refused 1 "give the guest's xl config" update "${disks[@]}" --system "$three" --try
  refused 2 'requires --system' update g.cfg --size +1M --try
  cp before.cfg g.cfg
  sed -i 1d g.cfg
  refused 1 'was not written by domstrap' update g.cfg --system "$three" --try --dry-run
  refused 1 'bootloader_args = \[ "--write-env" \]' update g.cfg --system "$three" --try
  echo 'bootloader_args = [ "-q", "--write-env" ]' >>g.cfg
  "$DOMSTRAP" update g.cfg --system "$three" --try -q
  start 3; start 2
  "$DOMSTRAP" confirm g.cfg -q
  sed -i 's/"--write-env"/"--entry=0", "--write-env"/' g.cfg
  refused_late 1 'the next start would boot' update g.cfg --system "$four" --try
  cp before.cfg g.cfg
  echo 'bootloader_args = [ "-q" ]' >>g.cfg
  "$DOMSTRAP" update g.cfg --system "$four" --try -q
  grep -qx 'bootloader_args = \["--write-env", "-q" \]' g.cfg || fail "the config: $(grep args g.cfg)"
  start 4; start 3
  sed 's/"domgrub"/"pygrub"/' before.cfg >g.cfg
  refused 1 'pygrub and others ignore next_entry' update g.cfg --system "$one" --try
done

# The profile and the menu disagree
layout=single root=g.img boot=g.img
make --size 96M
debugfs -R "dump /boot/grub/grub.cfg menu" "$(part g.img)" 2>/dev/null
"$DOMSTRAP" update g.cfg --system "$three" -q
printf 'rm /boot/grub/grub.cfg\nwrite menu /boot/grub/grub.cfg\n' | edit g.img
refused 1 'is not the generation that the profile points at' update g.cfg --system "$four" --try

# A menu that does not know next_entry
make --size 96M
debugfs -R "dump /boot/grub/grub.cfg menu" "$(part g.img)" 2>/dev/null
sed -i 's/next_entry/another_entry/g' menu
printf 'rm /boot/grub/grub.cfg\nwrite menu /boot/grub/grub.cfg\n' | edit g.img
refused_late 1 'the next start would boot the default, not' update g.cfg --system "$three" --try

# What the guest's links tell: the system that was activated last
make --size 96M
"$DOMSTRAP" update g.cfg --system "$three" --try -q
start 3
printf 'symlink /etc/static %s/etc\n' "$three" | edit g.img
ends 0 '^ +3 .*\(tried and not confirmed, booted last\)$' generations g.cfg
is "$(json '[g["activated"] for g in o["generations"]]' generations g.cfg)" "[False, False, True]" "activated"
printf 'rm /etc/static\nsymlink /etc/static %s/etc\n' "$one" | edit g.img
ends 0 '^ +1 .*\(booted last\)$' generations g.cfg

# An HVM guest, whose GRUB writes the block; kernel and initrd on the host, and an extlinux menu
make --size 96M
sed -i 's/^bootloader = .*/type = "hvm"/; /^type = "pv"/d' g.cfg
keep
ends 0 'on trial at the next start' update g.cfg --system "$three" --try
cmp kept/g.cfg g.cfg || fail "an HVM guest's config changed"
start 3; start 2
make --size 96M --boot direct
refused 1 'requires a GRUB menu' update g.cfg --system "$three" --try
make --size 96M
extlinux() { printf 'DEFAULT nixos-default\nLABEL nixos-default\n LINUX ..%s\n INITRD ..%s\n APPEND init=%s/init\n' "$(readlink -f "$two/kernel")" "$(readlink -f "$two/initrd")" "$two"; }
extlinux >extlinux.conf
printf 'rm /boot/grub/grub.cfg\nmkdir /boot/extlinux\nwrite extlinux.conf /boot/extlinux/extlinux.conf\n' | edit g.img
refused 1 'requires a GRUB menu|extlinux' update g.cfg --system "$three" --try
echo "test-try.sh: ok"
