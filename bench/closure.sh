#!/bin/bash
# closure.sh WORKDIR: make the closure that the benchmarks copy (about 1.4 GB, 50,000 files) with real Nix from
# Debian packages; prints its store path. Takes some minutes the first time only. PACKAGES selects other packages, such
# as "perl git" for a quick try; use another WORKDIR for them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/../scripts/common.sh"
nix_settings
work=${1:?WORKDIR}
read -rd '' -a set_of_packages <<<"${PACKAGES:-build-essential git vim emacs-nox python3-numpy python3-scipy perl openssh-server
  nginx postgresql linux-image-cloud-amd64 man-db}" || true

mkdir -p "$work/debs"
work=$(cd "$work" && pwd)
if [ -L "$work/system" ] && nix-store --check-validity "$work/system" 2>/dev/null; then
  readlink "$work/system"
  exit 0
fi
# What apt would install on an empty machine, so that the list does not depend on this host.
mapfile -t packages < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null \
  "${set_of_packages[@]}" | awk '/^Inst/ {print $2}' | sort)
[ "${#packages[@]}" -gt "${#set_of_packages[@]}" ] || die "apt finds ${#packages[@]} packages for ${set_of_packages[*]}; run apt-get update"
echo "closure.sh: fetching ${#packages[@]} packages" >&2
(cd "$work/debs" && apt-get -q download "${packages[@]}" >/dev/null)
echo "closure.sh: building" >&2
nix-build "$here/closure.nix" --arg debs "$work/debs" "${settings[@]}" --option sandbox false -j 2 -o "$work/system" >"$work/build.log" 2>&1 ||
  { tail -n 20 "$work/build.log" >&2; exit 1; }
readlink "$work/system"
