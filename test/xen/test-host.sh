#!/bin/bash
# test-host.sh DOMSTRAP DOMGRUB: on a Xen host, domstrap asks xl and Xen: check finds what a guest needs, inspect and list
# know its domain, and what wants it to be off refuses while it runs.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
ready demo xen
"$domstrap" create g -q -o "$dir" --system "$(demo "$repo/demo/configuration.nix")" --memory 256
"$xen/run.sh" -b "$domgrub" -x "$domstrap" -c "$dir/g.cfg" -t 900 "$xen/jobs/host"
