#!/bin/bash
# test-menus.sh DOMSTRAP DOMGRUB: guests with each form of menu that NixOS writes, made by domstrap create, booted on Xen
# through domgrub, and through Debian's pygrub for comparison. The console logs are kept in build/test-menus/SUITE/. One
# line for each guest, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")

ready demo xen
single=$(demo "$repo/demo/configuration.nix" single)
split=$(demo "$repo/demo/configuration-split.nix" split)

guests_of 1
guest yes uuid --system "$single"
guest yes uuid-pvh --system "$single" --type pvh
guest yes label --system "$single" --fs-identifier label
guest yes copied --system "$single" --copy-kernels
guest restricted restricted --system "$split" --layout split
guest restricted pygrub-restricted --system "$split" --layout split --boot pygrub
start_guests 1 -b "$domgrub" -p
guests_of 2
guest yes split --system "$split" --layout split
guest yes split-uuid --system "$split" --layout split --fs-identifier uuid
guest yes pygrub-split --system "$split" --layout split --boot pygrub
guest yes pygrub-single --system "$single" --boot pygrub
guest no pygrub-uuid --system "$single" --set 'bootloader_args=["-q"]'
sed -i 's/^bootloader = .*/bootloader = "pygrub"/' "$dir/pygrub-uuid.cfg"
start_guests 2 -b "$domgrub" -p
say "booting eleven guests through domgrub and pygrub, in two machines side by side (3 to 10 minutes)"
guests_end 1
guests_end 2
finish
