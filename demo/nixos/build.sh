#!/bin/bash
# build.sh CONFIGURATION LINK: build the demo system from CONFIGURATION with real Nix; LINK points to it and
# keeps it. Prints its store path. The same as fetch.sh and
#   nix-build demo/nixos -A system --arg configuration CONFIGURATION -o LINK
# with the settings that machines without Nix's daemon and its users need.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: build.sh CONFIGURATION LINK" >&2; exit 2; }
configuration=$(cd "$(dirname "$1")" && pwd)/${1##*/}

command -v nix-build >/dev/null || die "nix-build is not installed: run scripts/install-deps.sh demo"
if [ "$(id -u)" != 0 ] && [ ! -w /nix/var/nix ] && [ ! -S /nix/var/nix/daemon-socket/socket ]; then
  die "user $(id -un) can neither write /nix nor reach a Nix daemon (/nix/var/nix/daemon-socket/socket).
    Store paths must lie in /nix/store to be copied from there. Either run this as root, or start the daemon:
      sudo systemctl start nix-daemon"
fi
nix_settings

"$here/fetch.sh"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
DOMSTRAP_WORK=$work nix-build "$here" -A system --arg configuration "$configuration" -o "$2" "${settings[@]}" 2> >(tee "$log" |
  sed -u -n 's/^building .*-\(nixos-system-[^ ]*\|linux-[0-9.]*\|nix-[0-9.]*\|initrd-[^ ]*\)\.drv.*/--- building \1/p; /^\(warning\|trace\|error\)/p' >&2) ||
  { cat "$log" >&2; die "nix-build of $configuration failed"; }
