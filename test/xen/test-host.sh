#!/bin/bash
# test-host.sh DOMSTRAP DOMGRUB: on a Xen host, domstrap queries xl and Xen: check checks what a guest needs, inspect and
# list show its domain, and commands for guests that are off refuse while it runs. create selects the type that Xen supports.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
ready demo xen
system=$(demo "$repo/demo/configuration.nix")
"$domstrap" create g -q -o "$dir" --system "$system" --memory 256
check "pv is what is written where no Xen runs" grep -Fqx 'type = "pv"' "$dir/g.cfg"

# A disk with a binary cache, for create --dry-run.
nix_settings
nix --extra-experimental-features nix-command "${settings[@]}" copy --no-check-sigs --to "file://$dir/cache?compression=none" "$system"
mke2fs -q -t ext4 -d "$dir/cache" "$dir/cache.img" "$(($(du -sm "$dir/cache" | cut -f1) * 5 / 4 + 16))M"
"$xen/run.sh" -d "$dir/cache.img" -b "$domgrub" -x "$domstrap" -c "$dir/g.cfg" -e "SYSTEM=$system" -t 1200 "$xen/jobs/host"
