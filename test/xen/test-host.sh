#!/bin/bash
# test-host.sh DOMSTRAP DOMGRUB: on a Xen host, domstrap asks xl and Xen: check finds what a guest needs, inspect and list
# know its domain, and what wants it to be off refuses while it runs. create chooses the type by what Xen can do here.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
ready demo xen
system=$(small "$repo/demo/configuration.nix" system)
"$domstrap" create g -q -o "$dir" --system "$system" --memory 256
check "pv is what is written where no Xen runs" grep -Fqx 'type = "pv"' "$dir/g.cfg"

# A binary cache on a disk, for a dry run of create.
nix_settings
nix --extra-experimental-features nix-command "${settings[@]}" copy --no-check-sigs --to "file://$dir/cache?compression=none" "$system"
mke2fs -q -t ext4 -d "$dir/cache" "$dir/cache.img" "$(($(du -sm "$dir/cache" | cut -f1) * 5 / 4 + 16))M"
"$xen/run.sh" -d "$dir/cache.img" -b "$domgrub" -x "$domstrap" -c "$dir/g.cfg" -e "SYSTEM=$system" -t 1200 "$xen/jobs/host"
