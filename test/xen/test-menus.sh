#!/bin/bash
# test-menus.sh DOMSTRAP DOMGRUB: guests whose menus have each shape that NixOS writes, made by domstrap create,
# booted on Xen through domgrub, and through Debian's own pygrub for comparison. The consoles stay in
# build/test-menus/. One line for each guest, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: test-menus.sh DOMSTRAP DOMGRUB" >&2; exit 2; }
domstrap=$1 domgrub=$(readlink -f "$2")

"$repo/scripts/install-deps.sh" demo xen
"$here/build.sh"
mkdir -p "$work/test-menus"
dir=$(mktemp -d "$work/test-menus/run.XXXXXX")
trap 'rm -rf "$dir"' EXIT
single=$("$repo/demo/nixos/build.sh" "$repo/demo/configuration.nix" "$work/test-menus/single")
split=$("$repo/demo/nixos/build.sh" "$repo/demo/configuration-split.nix" "$work/test-menus/split")

# machine NUMBER: begin the list of guests of one emulated machine
machine() { m=$1 letters=abcdefgh next=0 arguments=() ; : >"$dir/guests"; }

# guest yes|no NAME CREATE-OPTIONS…: one more guest on this machine
guest() {
  local want=$1 name=$2 disk line
  shift 2
  "$domstrap" create "$name" -q -o "$dir" "$@"
  line="$want $name.cfg"
  for disk in "$dir/$name-boot.img" "$dir/$name-root.img" "$dir/$name.img"; do
    [ -e "$disk" ] || continue
    line+=" vd${letters:next:1}"
    next=$((next + 1))
    arguments+=(-d "$disk")
  done
  echo "$line" >>"$dir/guests"
  arguments+=(-f "$dir/$name.cfg")
}

start() { # start: the machine, in the background
  cp "$dir/guests" "$dir/guests.$m"
  mkdir "$dir/$m"
  cp "$dir/guests" "$dir/$m/guests"
  "$here/run.sh" -b "$domgrub" -p -t 1400 "${arguments[@]}" -f "$dir/$m/guests" "$here/jobs/menus" \
    >"$work/test-menus/$m.log" 2>&1 </dev/null &
}

machine 1
guest yes uuid --system "$single"
guest yes uuid-pvh --system "$single" --type pvh
guest yes label --system "$single" --fs-identifier label
guest yes copied --system "$single" --copy-kernels
start
machine 2
guest yes split --system "$split" --layout split
guest yes split-uuid --system "$split" --layout split --fs-identifier uuid
guest yes pygrub-split --system "$split" --layout split --boot pygrub
guest yes pygrub-single --system "$single" --boot pygrub
guest no pygrub-uuid --system "$single" --set 'bootloader_args=["-q"]'
sed -i 's/^bootloader = .*/bootloader = "pygrub"/' "$dir/pygrub-uuid.cfg"
start
say "booting nine guests through domgrub and pygrub, in two machines side by side (3 to 10 minutes)"
wait

passed=0 failed=0
for m in 1 2; do
  while read -r _ cfg _; do
    if grep -q "RIG .* OK ${cfg%.cfg}:" "$work/test-menus/$m.log"; then
      echo "ok $(sed -n "s/.* OK \(${cfg%.cfg}: .*\)/\1/p" "$work/test-menus/$m.log")"
      passed=$((passed + 1))
    else
      echo "not ok ${cfg%.cfg}"
      failed=$((failed + 1))
    fi
  done <"$dir/guests.$m"
  grep -q "DONE rc=0" "$work/test-menus/$m.log" || { echo "--- the log of machine $m:" >&2; tail -n 80 "$work/test-menus/$m.log" >&2; }
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
