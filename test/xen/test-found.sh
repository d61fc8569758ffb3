#!/bin/bash
# test-found.sh DOMGRUB: libxl finds `bootloader = "domgrub"` in the places listed in domgrub(1), and nowhere else.
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || usage DOMGRUB
domgrub=$(readlink -f "$1")
ready xen
truncate -s 1M "$dir/disk"
"$xen/run.sh" -b "$domgrub" -e BOOTLOADER=domgrub -d "$dir/disk" -t 300 "$xen/jobs/found"
