#!/bin/bash
# test-menus.sh DOMSTRAP DOMGRUB: guests whose menus have each shape that NixOS writes, made by domstrap create,
# booted on Xen through domgrub, and through Debian's own pygrub for comparison. The consoles stay in
# build/test-menus/SUITE/. One line for each guest, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")

ready demo xen
single=$(small "$repo/demo/configuration.nix" single)
split=$(small "$repo/demo/configuration-split.nix" split)

# guests NUMBER: begin the list of guests of one emulated machine
guests() {
  guests=$dir/$1/guests letters=abcdefgh next=0 arguments=()
  mkdir "$dir/$1"
  : >"$guests"
}

# guest yes|no NAME CREATE-OPTIONS…: one more of them
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
  echo "$line" >>"$guests"
  arguments+=(-f "$dir/$name.cfg")
}
start() { machine "$1" -b "$domgrub" -p -t 1400 "${arguments[@]}" -f "$guests" menus; }

guests 1
guest yes uuid --system "$single"
guest yes uuid-pvh --system "$single" --type pvh
guest yes label --system "$single" --fs-identifier label
guest yes copied --system "$single" --copy-kernels
start 1
guests 2
guest yes split --system "$split" --layout split
guest yes split-uuid --system "$split" --layout split --fs-identifier uuid
guest yes pygrub-split --system "$split" --layout split --boot pygrub
guest yes pygrub-single --system "$single" --boot pygrub
guest no pygrub-uuid --system "$single" --set 'bootloader_args=["-q"]'
sed -i 's/^bootloader = .*/bootloader = "pygrub"/' "$dir/pygrub-uuid.cfg"
start 2
say "booting nine guests through domgrub and pygrub, in two machines side by side (3 to 10 minutes)"
for m in 1 2; do
  before=$failed
  machine_end
  while read -r want cfg _; do
    machine_said "$m" "${cfg%.cfg}: login prompt: $want"
  done <"$dir/$m/guests"
  outcome "$m" "$before"
done
finish
