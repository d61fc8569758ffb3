#!/bin/bash
# test-found.sh DOMGRUB: libxl finds `bootloader = "domgrub"` where domgrub(1) says, and nowhere else.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
domgrub=$(readlink -f "${1:?DOMGRUB}")
"$repo/scripts/install-deps.sh" xen
"$here/build.sh"
disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
truncate -s 1M "$disk"
"$here/run.sh" -b "$domgrub" -e BOOTLOADER=domgrub -d "$disk" -t 300 "$here/jobs/found"
