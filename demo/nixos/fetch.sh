#!/bin/bash
# fetch.sh: download the Debian packages that the demo system is made of, for default.nix to import:
# nothing is fetched while Nix builds. Leaves $DOMSTRAP_WORK/nixos (or build/nixos in this clone) with
#   *.deb            the packages             busybox/bin/busybox   what runs the first builders
#   packages.json    [ { name, version, file } ]: the versions in use now
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"
dir=$work/nixos
mkdir -p "$dir"
only_one "$dir/lock"

apt_ready
# While neither apt's lists nor this script changed there is nothing to ask apt, which takes seconds.
stamp=$({ apt_state; cat "$0"; } | sha256sum)
[ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

# The cloud kernel: small, LZ4, and a guest of Xen both as PV and as PVH.
linux=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p')
[ -n "$linux" ] || die "apt does not know linux-image-cloud-amd64: run apt-get update first"
# Of what apt would install for Nix on an empty system the libraries; those not needed drop out later.
mapfile -t libs < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null nix-bin 2>/dev/null |
  awk '/^Inst (lib|zlib)/ { print $2 }' | grep -Ev 'perl|^libdb|^libgdbm|^libcurl4$|^libpcre|^libselinux' | sort)
# What checks passwords, and its libraries.
pam=(libpam-modules-bin libselinux1 libpcre2-8-0 libaudit1 libcap-ng0)
debs=$("$repo/scripts/fetch-debs.sh" "$dir" "$linux" busybox-static nix-bin tzdata "${pam[@]}" "${libs[@]}")

while read -r deb; do
  file=${deb##*/}
  version=${file#*_}
  version=${version%_*}
  version=${version#*%3a} # an epoch is no part of a store path's name
  printf '{ "name": "%s", "version": "%s", "file": "%s" }\n' "${file%%_*}" "$version" "$file"
  case $file in busybox-static_*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --transform 's,.*/,busybox/bin/,' --wildcards './*bin/busybox' ;; esac
done <<<"$debs" | sed '1s/^/[ /; 1!s/^/, /; $s/$/ ]/' >"$dir/packages.json.new"
mv "$dir/packages.json.new" "$dir/packages.json"
echo "$stamp" >"$dir/stamp"
