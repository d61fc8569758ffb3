#!/bin/bash
# A random sequence of update, rollback and gc, on one disk and on two; after each one, the guest is checked with real Nix,
# e2fsck and a model of the generations. STEPS (12) and SEED select the sequence.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
RANDOM=${SEED:=$$}
trap 'echo "seed $SEED" >&2' ERR

for layout in single split; do
  create=(--layout "$layout" --vif none --size 96M)
  [ "$layout" = single ] || create+=(--boot-size 32M)
  "$DOMSTRAP" create g --system "$(system 1)" -q --force "${create[@]}"
  root=g.img boot=g.img
  [ "$layout" = single ] || root=g-root.img boot=g-boot.img
  # The model: numbers of generations, their systems, and the one that boots.
  declare -A top=([1]=1)
  numbers=(1) current=1 last=1 history=
  for ((step = 1; step <= ${STEPS:-12}; step++)); do
    case $((RANDOM % 6)) in
      0 | 1 | 2)
        n=$((RANDOM % 8 + 1)) op="update $n"
        "$DOMSTRAP" update g.cfg --system "$(system $n)" -q
        last=${numbers[-1]}
        if [ "${top[$last]}" != $n ]; then last=$((last + 1)); numbers+=("$last"); top[$last]=$n; fi
        current=$last
        ;;
      3 | 4)
        to=${numbers[RANDOM % ${#numbers[@]}]} op="rollback --to $to"
        "$DOMSTRAP" rollback g.cfg --to "$to" -q
        current=$to
        ;;
      5)
        keep=$((RANDOM % 4 + 1)) op="gc --keep $keep"
        "$DOMSTRAP" gc g.cfg --keep $keep -q
        left=()
        for ((i = 0; i < ${#numbers[@]}; i++)); do
          if [ "${numbers[i]}" = "$current" ] || [ $((i + keep)) -ge ${#numbers[@]} ]; then left+=("${numbers[i]}"); fi
        done
        numbers=("${left[@]}")
        ;;
    esac
    history+="; $op"
    what="$layout (seed $SEED)$history"
    clean $root "$what"; clean $boot "$what"
    same_generations g.cfg $root tree
    want=$(for i in "${numbers[@]}"; do [ "$i" = "$current" ] && echo "$i current" || echo "$i "; done)
    [ "$want" = "$(cat ours)" ] || fail "$what: generations are $(cat ours), not $want"
    sane tree "$what"
    for i in "${numbers[@]}"; do
      [ "$(readlink "tree/nix/var/nix/profiles/system-$i-link")" = "$(system "${top[$i]}")" ] || fail "$what: generation $i"
    done
    bootdir=tree/boot
    [ "$layout" = single ] || { rm -rf bootdir; mkdir bootdir; debugfs $boot -R "rdump / bootdir" >/dev/null 2>&1; bootdir=bootdir; }
    entries tree $bootdir || fail "$what: the menu"
    grep -m1 '^  linux ' $bootdir/grub/grub.cfg | grep -q "generation=${top[$current]} *\$" || fail "$what: the menu's default"
    [ "$(grep -c '^menuentry "NixOS - Configuration' $bootdir/grub/grub.cfg)" = ${#numbers[@]} ] || fail "$what: the menu's entries"
    case $op in gc*) [ -z "$(dead tree)" ] || fail "$what: Nix would still delete $(dead tree)" ;; esac
  done
  unset top
done
echo "test-random.sh: ${STEPS:-12} steps each, seed $SEED"
