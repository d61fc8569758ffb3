#!/bin/bash
# Update (from the store, and from a cache) and gc, on one disk and on two, stopped at every step towards the disks: killed, and with I/O errors. Then,
# by our own next command as well as by e2fsck: all of the change or nothing, nothing to complain of for e2fsck and
# real Nix, and every entry of the menu boots, also before anybody looked after it.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000
kinds=${KINDS:-kill eio}

# look TAG: unpack the guest, and judge what was not seen before. Prints a digest of all that is in it.
look() {
  local digest
  unpack "$root" tree
  [ "$root" = "$boot" ] || { rm -rf tree/boot; mkdir tree/boot; debugfs "$boot" -R "rdump / tree/boot" >/dev/null 2>&1; }
  rm -rf tree/nix/var/nix/domstrap-pending
  digest=$(cd tree && { find . -type l -printf '%p %l\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum; } |
    sha256sum | cut -c1-20)
  if ! grep -qs "$digest" seen; then
    clean "$root" "$1"; clean "$boot" "$1"
    sane tree "$1"
    entries tree tree/boot >entries.list 2>&1 || fail "$1: $(cat entries.list)"
    echo "$digest" >>seen
  fi
  echo "$digest"
}

restore() { local f; for f in "$1"*.img; do cp --sparse=always "$f" "$2${f#"$1"}"; done; }

nix-store --generate-binary-cache-key test-1 secret public
key=$(cat public)
: >conf
nix copy --to "file://$PWD/cache?compression=zstd&secret-key=$PWD/secret" "$(system 3)" 2>copy.log || { cat copy.log >&2; fail "nix copy"; }
total=0
for layout in single split; do
  rm -f seen
  create=(--layout "$layout" --vif none --size 48M)
  [ "$layout" = single ] || create+=(--boot-size 20M)
  "$DOMSTRAP" create g --system "$(system 1)" -q --force "${create[@]}"
  root=g.img boot=g.img
  [ "$layout" = single ] || root=g-root.img boot=g-boot.img
  "$DOMSTRAP" update g.cfg --system "$(system 2)" -q
  rm -f saved*.img; restore g saved
  for command in update fetch gc rollback; do
    case $command in
      update) run=(update g.cfg --system "$(system 3)" -q -j 1) ;;
      fetch) run=(update g.cfg --system "$(system 3)" -q -j 1 --from "file://$PWD/cache" --trusted-key "$key" --conf "$PWD/conf") ;;
      gc) run=(gc g.cfg --keep 1 -q) ;;
      rollback) run=(rollback g.cfg -q) ;;
    esac
    restore saved g
    before=$(look "$layout $command: before")
    FAULT_COUNT=$PWD/count LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}"
    steps=$(cat count)
    after=$(look "$layout $command: after")
    [ "$before" != "$after" ] || fail "$layout $command changes nothing"
    undone=0 finished=0
    for kind in $kinds; do
      for ((at = 1; at <= steps; at++)); do
        # An error is a kill that is noticed: every third place does.
        [ "$kind" = kill ] || [ $((at % 3)) = 0 ] || continue
        what="$layout $command, $kind at $at of $steps"
        restore saved g
        { FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$FAULTS "$DOMSTRAP" "${run[@]}" >log 2>&1; } 2>/dev/null &&
          fail "$what: it says that it succeeded"
        # First as a stranger would find it ...
        rm -f kept*.img; restore g kept
        for f in "$root" "$boot"; do
          repair "$f" || fail "$what: e2fsck -p"
        done
        theirs=$(look "$what, after e2fsck")
        [ "$layout" = split ] || [ "$theirs" = "$before" ] || [ "$theirs" = "$after" ] ||
          fail "$what: after e2fsck it is neither before nor after"
        # ... then as the next command does.
        restore kept g
        "$DOMSTRAP" generations g.cfg >/dev/null 2>log || { cat log >&2; fail "$what: the next command fails"; }
        ours=$(look "$what, after the next command")
        case $ours in
          "$before") undone=$((undone + 1)) ;;
          "$after") finished=$((finished + 1)) ;;
          *) fail "$what: after the next command it is neither before nor after" ;;
        esac
        "$DOMSTRAP" generations g.cfg >/dev/null 2>log && [ ! -s log ] || { cat log >&2; fail "$what: the second next command has something to say"; }
        total=$((total + 1))
      done
    done
    [ $undone -gt 0 ] && [ $finished -gt 0 ] || fail "$layout $command: $undone undone, $finished finished"
    echo "$layout $command: $steps steps, $undone undone, $finished finished"
  done
done
echo "test-faults.sh: $total times stopped"
