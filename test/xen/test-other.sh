#!/bin/bash
# test-other.sh DOMSTRAP DOMGRUB: a short test of the other Debian's Xen and kernel. If the other tests run on Xen 4.17
# (bookworm), this one runs on 4.20 (trixie), and vice versa. A PV and a PVH guest with that suite's kernel are started by xl
# through domgrub, the second one with domgrub as a restricted helper, and both must reach their login prompt. The console
# log is kept in build/test-other/SUITE/. Exit status: 0 if no check failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
case $XEN_SUITE in bookworm) XEN_SUITE=trixie ;; *) XEN_SUITE=bookworm ;; esac
export DOMSTRAP_KERNEL_SUITE=$XEN_SUITE

ready demo xen
system=$(demo "$repo/demo/configuration.nix")
guests_of both
guest yes pv --system "$system" --type pv
guest restricted pvh --system "$system" --type pvh
say "booting a PV and a PVH guest on the Xen of $XEN_SUITE (1 to 3 minutes)"
start_guests both -b "$domgrub"
guests_end both
finish
