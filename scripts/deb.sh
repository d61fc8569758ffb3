#!/bin/bash
# deb.sh DIR: build the Debian packages, source and binary, in DIR from a copy of this tree, and check them with lintian:
# there must be no error or warning.
set -euo pipefail
. "$(dirname "$0")/common.sh"
dir=$(realpath -m "${1:?DIR}")
mkdir -p "$dir"
rm -rf "$dir/source"
rm -f "$dir"/dom{strap,grub}{,-dbgsym}_*.{deb,dsc,tar.xz,changes,buildinfo} "$dir/log"
copy_tree "$dir/source"
cd "$dir/source"
dpkg-buildpackage -us -uc -Jauto >"$dir/log" 2>&1 || { tail -n 40 "$dir/log" >&2; die "dpkg-buildpackage failed; $dir/log has all of it"; }
# Debian 12's lintian does not know the current policy version.
lintian --allow-root --fail-on error,warning --suppress-tags newer-standards-version "$dir"/*.changes >&2 || die "lintian complains"
rm -rf "$dir/source"
printf '%s\n' "$dir"/*.deb
