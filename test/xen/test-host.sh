#!/bin/bash
# test-host.sh DOMSTRAP DOMGRUB: on a Xen host, domstrap asks xl and Xen: check finds what a guest needs, inspect and list
# know its domain, and what wants it to be off refuses while it runs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: test-host.sh DOMSTRAP DOMGRUB" >&2; exit 2; }
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
"$repo/scripts/install-deps.sh" demo xen
"$here/build.sh"
mkdir -p "$work/test-host"
dir=$(mktemp -d "$work/test-host/run.XXXXXX")
trap 'rm -rf "$dir"' EXIT
system=$("$repo/demo/nixos/build.sh" "$repo/demo/configuration.nix" "$work/test-host/system")
"$domstrap" create g -q -o "$dir" --system "$system" --memory 256
"$here/run.sh" -b "$domgrub" -x "$domstrap" -c "$dir/g.cfg" -t 900 "$here/jobs/host"
