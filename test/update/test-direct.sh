#!/bin/bash
# Guests that boot a kernel and initrd on the host (create --boot direct): update and rollback replace these files and the
# config's lines that name them, and nothing else in it. After a stop at any step, the config boots a complete system. If
# domstrap did not write these lines, it refuses and prints the correct ones.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
one=$(system 1) two=$(system 2) four=$(system 4)
mkdir guest
cd guest
: >../conf
mine=(kernel initrd)

create() { rm -f ./*; "$DOMSTRAP" create g --system "$one" -q --force --vif none --size 48M --boot direct "$@"; }
value() { sed -n "s/^$1 = \"\(.*\)\"$/\1/p" g.cfg; }
root() { [ -e g.img ] && echo g.img || echo g-root.img; }
shopt -u nullglob
names() { printf '%s\n' .g* g* | tr '\n' ' '; }
digits() { basename "$1" | cut -c 1-32; }

# whole WHAT: the files that the config boots exist, and belong to one system. Prints that system.
whole() {
  local init top part real got
  init=$(value cmdline | grep -o 'init=[^ ]*') || fail "$1: no init= in the config"
  top=${init#init=} top=${top%/init}
  debugfs -R "stat $top/init" "$(part "$(root)")" 2>/dev/null | grep -q '^Inode' || fail "$1: $init is not in the guest"
  for part in "${mine[@]}"; do
    real=$(readlink -f "$top/$part")
    got=$(value "$([ "$part" = kernel ] && echo kernel || echo ramdisk)")
    cmp -s "$real" "$got" || fail "$1: $got is not $part of $top"
    debugfs -R "stat $real" "$(part "$(root)")" 2>/dev/null | grep -q '^Inode' || fail "$1: $real is not in the guest"
  done
  echo "$top"
}
boots() { [ "$(whole "$2")" = "$1" ] || fail "$2: the config boots another system"; }

# ---- changes to the config

create
cp g.cfg was.txt
boots "$one" create
unpack g.img ../tree
[ "$(readlink ../tree/nix/var/nix/gcroots/domstrap-direct)" = "$one" ] || fail "create sets no root"
# Edits that a user may have made.
sed -i -e '1i # kernel = "/not/this/one"' -e 's/^memory = .*/memory = 2048   # more/' -e 's/ loglevel=4/ quiet loglevel=4/; s/\(generation=1\)/\1 mine=1/' g.cfg
printf '%s' "on_crash = 'preserve' ; maxmem=4096" >>g.cfg
chmod 640 g.cfg
ln -s guest/g.cfg ../link.cfg
cp g.cfg was.txt
"$DOMSTRAP" update ../link.cfg --system "$four" -q
boots "$four" update
rm was.txt.new 2>/dev/null || true
sed -e "s#$one/init#$four/init#" -e 's/quiet loglevel=4 console=hvc0 generation=1 mine=1/quiet loglevel=4 console=hvc0 generation=4 mine=1/' \
  -e "s#/g.kernel#/g-$(digits "$four").kernel#; s#/g.initrd#/g-$(digits "$four").initrd#" was.txt | cmp - g.cfg ||
  { diff was.txt g.cfg >&2 || true; fail "the config is not what it was but for its lines"; }
[ "$(stat -c %a g.cfg)" = 640 ] || fail "the config's mode"
[ -L ../link.cfg ] || fail "a link to the config is none any more"
[ "$(names)" = ".g* g-$(digits "$four").initrd g-$(digits "$four").kernel g.cfg g.img " ] || fail "files: $(names)"
clean g.img update
ends 0 '^   2[*] ' generations g.cfg
ends 0 '^OK: ' verify g.cfg
# The GC root for what the config boots does not count as another user of its paths.
"$DOMSTRAP" generations g.cfg --json | python3 -c 'import json, sys
for g in json.load(sys.stdin)["generations"]: assert g["ownBytes"] > 10000, g' || fail "what a generation alone needs"
"$DOMSTRAP" rollback g.cfg -q
boots "$one" rollback
[ "$(names)" = ".g* g-$(digits "$one").initrd g-$(digits "$one").kernel g.cfg g.img " ] || fail "files: $(names)"
"$DOMSTRAP" update g.cfg --system "$four" -q
cp g.cfg was.txt
"$DOMSTRAP" update g.cfg --system "$four" -q
cmp was.txt g.cfg || fail "the same system again changes the config"
"$DOMSTRAP" rollback g.cfg --to 1 -q
ends 0 '^deleted generation 2' gc g.cfg --older-than 0
boots "$one" gc
clean g.img gc
"$DOMSTRAP" update g.cfg --system "$two" -q
ends 0 '^deleted generation 1' gc g.cfg --keep 1
boots "$two" "gc --keep"
cp g.cfg was.txt
ends 0 '' update g.cfg --system "$four" --dry-run
ends 0 'would boot' rollback g.cfg --to 2 --dry-run
cmp was.txt g.cfg || fail "a dry run changes the config"
# Nix in the guest keeps it, too.
unpack g.img ../tree
rm ../tree/nix/var/nix/profiles/system*
(cd .. && dead tree) | grep -q "^$two$" && fail "Nix would delete what the config boots"

# ---- only the disks: what the config boots is unknown

cp --sparse=always g.img ../kept.img
ends 1 'booted by its config; the guest.s kernel is on the host; give its xl config' update g.img --system "$four"
ends 1 'give its xl config' rollback g.img
ends 1 'give its xl config' gc g.img --keep 1
same_image g.img ../kept.img || fail "a refused command writes"
ends 0 '^boots by default: unknown: booted by its config' generations g.img

# ---- another copy of the config keeps the files that it names

cp g.cfg other.cfg
"$DOMSTRAP" update g.cfg --system "$four" -q
[ -e "g-$(digits "$two").kernel" ] || fail "a kernel goes that another config names"
rm other.cfg
"$DOMSTRAP" generations g.cfg >/dev/null
[ ! -e "g-$(digits "$two").kernel" ] || fail "a kernel stays that no config names"

# ---- lines that domstrap has not written

refused() { # WORDS: neither update nor rollback does anything
  cp g.cfg was.txt
  cp --sparse=always g.img ../kept.img
  ends 1 "$1" update g.cfg --system "$two"
  ends 1 "$1" update g.cfg --config no-such-configuration.nix
  ends 1 "$1" rollback g.cfg --to 1
  grep -q '^  cmdline = "init=' ../said || { cat ../said >&2; fail "$1: no lines"; }
  same_image g.img ../kept.img || fail "$1: a refused command writes"
  cmp was.txt g.cfg || fail "$1: a refused command writes the config"
}
create
cp g.kernel vmlinuz
sed -i 's#/g.kernel#/vmlinuz#' g.cfg
refused 'its kernel= is a copy with a name that domstrap does not use'
create
head -c 900000 /dev/urandom >g.kernel
refused 'its kernel= is not the kernel of the system that init= boots'
create
echo more >>g.initrd
refused 'its ramdisk= is not a copy of the initrd'
create
sed -i '/^ramdisk/d' g.cfg
refused 'its ramdisk= is not a copy of the initrd'
create
sed -i 's#init=/nix/[^ ]*#init=/nix/var/nix/profiles/system/init#' g.cfg
refused 'its init= is not that of a system in the store'
create
sed -i 's#init=/nix/[^ ]*#init=/bin/sh#' g.cfg
refused 'its init= is in none of the guest.s generations'
create
sed -i 's#^cmdline = "\(init=[^ ]*\) #cmdline = "\1 \1 #' g.cfg
refused 'its command line has init= more than once'
create
sed -i 's# generation=1##' g.cfg
refused 'its command line lacks the system.s kernel parameters'
create
printf 'kernel = "%s/g.kernel"\n' "$PWD" >>g.cfg
ends 1 'kernel is set 2 times' update g.cfg --config no-such-configuration.nix
create
rm g.kernel
ends 1 'g.kernel: No such file' update g.cfg --system "$two"

create
ends 0 'warning: generation 2 .* has boot.initrd.secrets' update g.cfg --system "$(system 2 "" some)"

# The host's own kernel stays, and init= follows.
head -c 5000 /dev/urandom >../own-kernel
head -c 5000 /dev/urandom >../own-initrd
create --kernel ../own-kernel --initrd ../own-initrd
cp g.cfg was.txt
"$DOMSTRAP" update g.cfg --system "$two" -q
sed -e "s#$one/init#$two/init#" -e 's/generation=1/generation=2/' was.txt | cmp - g.cfg || fail "a kernel of the host's own"
ends 0 '^   2[*] ' generations g.cfg

# ---- stopped at every step

export FAULT_ON=write,sync,name
total=0
for layout in ${LAYOUTS:-single split}; do
  create --layout "$layout"
  disks=(g.img)
  [ "$layout" = single ] || disks=(g-root.img g-boot.img)
  "$DOMSTRAP" update g.cfg --system "$two" -q
  rm -rf ../saved; mkdir ../saved; cp --sparse=always ./* ../saved
  restore() { rm -f ./* .g*; cp --sparse=always ../"$1"/* .; }
  for command in update rollback; do
    run=(rollback g.cfg -q)
    [ "$command" = rollback ] || run=(update g.cfg --system "$four" -q -j 1)
    restore saved
    before=$(whole "$command: before")
    FAULT_COUNT=../count LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}"
    steps=$(cat ../count)
    after=$(whole "$command: after") after_names=$(names)
    [ "$before" != "$after" ] || fail "$command changes nothing"
    undone=0 finished=0 completed=0
    for kind in kill eio; do
      for ((at = 1; at <= steps; at++)); do
        # The many early writes are alike, so only some of them are tested.
        [ $at -gt $((steps - 40)) ] || [ $((at % 6)) = 0 ] || continue
        [ "$kind" = kill ] || [ $((at % 3)) = 0 ] || continue
        [ "$layout" = single ] || [ $((at % 2)) = 0 ] || continue
        chosen $at || continue
        what="$layout $command, $kind at $at of $steps"
        restore saved
        before_names=$(names)
        { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}" >../log 2>&1; } 2>/dev/null &&
          { [ "$kind" = kill ] || ! grep -q 'cannot remove' ../log; } && fail "$what: it says that it succeeded"
        # The config boots a complete system, with the disks as after e2fsck.
        rm -rf ../kept; mkdir ../kept; cp --sparse=always ./* ../kept
        for f in "${disks[@]}"; do repair "$f" || fail "$what: e2fsck -p"; done
        top=$(whole "$what, after e2fsck")
        [ "$top" = "$before" ] || [ "$top" = "$after" ] || fail "$what: $top"
        rm -f ./*; cp --sparse=always ../kept/* .
        "$DOMSTRAP" generations g.cfg >/dev/null 2>../log || { cat ../log >&2; fail "$what: the next command fails"; }
        # Any command completes it, and then does its own work with the config as it is now.
        if grep -q 'before it had changed all disks and the config' ../log; then
          completed=$((completed + 1))
          for next in "rollback g.cfg --to 1 -q" "update g.cfg --system $four -q -j 1"; do
            restore kept
            # shellcheck disable=SC2086 # its words
            "$DOMSTRAP" $next 2>../log || { cat ../log >&2; fail "$what: then ${next%% *} fails"; }
            case $next in update*) boots "$four" "$what, then update" ;; *) boots "$one" "$what, then rollback" ;; esac
          done
          restore kept
          "$DOMSTRAP" generations g.cfg >/dev/null 2>../log
        fi
        top=$(whole "$what, after the next command")
        profile=$("$DOMSTRAP" generations g.cfg --json 2>../log | python3 -c 'import json, sys
for g in json.load(sys.stdin)["generations"]:
    if g["current"] and g["default"]: print(g["system"])')
        [ ! -s ../log ] || { cat ../log >&2; fail "$what: the second next command has something to say"; }
        [ "$profile" = "$top" ] || fail "$what: the profile is not what boots"
        for f in "${disks[@]}"; do clean "$f" "$what"; done
        case $top in
          "$before") undone=$((undone + 1)) wanted=$before_names ;;
          "$after") finished=$((finished + 1)) wanted=$after_names ;;
          *) fail "$what: after the next command it is neither before nor after" ;;
        esac
        [ "$(names)" = "$wanted" ] || fail "$what: files $(names), not $wanted"
        total=$((total + 1))
      done
    done
    [ $((undone * finished)) -gt 0 ] || fail "$layout $command: $undone undone, $finished finished"
    [ "$completed" -gt 0 ] || fail "$layout $command: none was left for the next command to complete"
    echo "$layout $command: $steps steps, $undone undone, $finished finished"
  done
done
echo "test-direct.sh: $total times stopped"
