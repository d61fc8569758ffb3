#!/bin/bash
# dist.sh: make a release tarball from the committed files, build/meson-dist/domstrap-VERSION.tar.xz, with its SHA-256 in a
# file beside it; then unpack it, build it and run the tests that need nothing else: suites unit and lint.
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$repo"
[ -e .git ] || die "no git repository here: a tarball is made of what is committed"
changed=$(git status --porcelain)
[ -z "$changed" ] || die "commit or stash these first, a tarball has only what is committed:"$'\n'"$changed"
[ -e "$work/build.ninja" ] || die "$work is not set up; run make first"

meson dist -C "$work" --formats xztar --no-tests >&2
tarball=$work/meson-dist/domstrap-$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build).tar.xz
dir=$(mktemp -d "$work/dist.XXXXXX")
trap 'rm -rf "$dir"' EXIT
tar -C "$dir" -xf "$tarball"
cd "$dir"/domstrap-*
say "building and testing $tarball"
meson setup build -Dwerror=true >"$dir/log" || { tail -n 30 "$dir/log" >&2; die "the tarball cannot be set up"; }
ninja -C build >"$dir/log" || { tail -n 40 "$dir/log" >&2; die "the tarball does not build"; }
meson test -C build --no-rebuild --print-errorlogs --timeout-multiplier 5 --suite unit --suite lint >&2 || die "the tarball's tests fail"
printf '%s\n' "$tarball"
