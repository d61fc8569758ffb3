#!/bin/bash
# fetch-debs.sh DIR PACKAGE...: download the .deb files of PACKAGEs to DIR, unless they are there, in the versions that apt
# would install now, and print their paths, one per line. Needs no root. Uses apt's current configuration: for packages of
# another suite, call apt_of (suite.sh) first.
set -euo pipefail
. "$(dirname "$0")/common.sh"
dir=${1:?DIR}
shift
mkdir -p "$dir"

# Each line of --print-uris is: 'URI' FILE SIZE HASH:DIGEST. FILE has name_version_arch.deb.
if ! uris=$(apt-get -qq --print-uris download "$@" 2>&1); then
  die "apt knows no such packages (has apt-get update been run here?): $uris"
fi
missing=()
while read -r _ file size _; do
  [ "$(stat -c %s "$dir/$file" 2>/dev/null)" = "$size" ] || missing+=("${file%%_*}")
done <<<"$uris"

if [ ${#missing[@]} -gt 0 ]; then
  say "downloading ${#missing[@]} Debian packages"
  part=$(mktemp -d "$dir/.part.XXXXXX") # an interrupted download must not look like a package
  trap 'rm -rf "$part"' EXIT
  (cd "$part" && apt-get -qq download "${missing[@]}") >"$part/log" 2>&1 || { cat "$part/log" >&2; die "apt-get download failed; if the lists are old, run apt-get update"; }
  mv "$part"/*.deb "$dir/"
fi
while read -r _ file _; do echo "$dir/$file"; done <<<"$uris"
