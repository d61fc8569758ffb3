#!/bin/bash
# fetch.sh: download the Debian packages that the demo system is made of, for default.nix to import:
# nothing is fetched while Nix builds. Leaves $DOMSTRAP_WORK/nixos (or build/nixos in this clone) with
#   *.deb            the packages             busybox/bin/busybox   what runs the first builders
#   packages.json    [ { name, version, file } ]: the versions in use now
#   kernel           SUITE.json: the same for the kernel of a suite, the host's and that of DOMSTRAP_KERNEL_SUITE, which
#                    is the system's kernel then
set -euo pipefail
. "$(dirname "$0")/../../scripts/common.sh"
. "$repo/scripts/suite.sh"
dir=$work/nixos
mkdir -p "$dir/kernel"

# The cloud kernel: small, LZ4, and a guest of Xen both as PV and as PVH.
cloud_kernel() {
  local linux
  linux=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p')
  [ -n "$linux" ] || die "apt does not know linux-image-cloud-amd64: run apt-get update first"
  echo "$linux"
}
# listed: for each path of a package on standard input { name, version, file } of it
listed() {
  local deb file version
  while read -r deb; do
    file=${deb##*/}
    version=${file#*_}
    version=${version%_*}
    version=${version#*%3a} # an epoch is no part of a store path's name
    printf '{ "name": "%s", "version": "%s", "file": "%s" }\n' "${file%%_*}" "$version" "$file"
  done
}

suite=${DOMSTRAP_KERNEL_SUITE:-$host_suite}
if [ "$suite" != "$host_suite" ]; then
  (
    apt_of "$suite"
    only_one "$dir/lock"
    [ "$(cat "$dir/kernel/$suite.stamp" 2>/dev/null)" != "$(apt_state)" ] || exit 0
    linux=$(cloud_kernel)
    "$repo/scripts/fetch-debs.sh" "$dir" "$linux" | listed >"$dir/kernel/$suite.json.new"
    mv "$dir/kernel/$suite.json.new" "$dir/kernel/$suite.json"
    apt_state >"$dir/kernel/$suite.stamp"
  )
fi

only_one "$dir/lock"
apt_ready
# While neither apt's lists nor this script changed there is nothing to ask apt, which takes seconds.
stamp=$({ apt_state; cat "$0"; } | sha256sum)
[ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ] || exit 0

linux=$(cloud_kernel)
# Programs of the guest, and of what apt would install for them on an empty system the libraries; those not needed drop
# out later.
programs=(nix-bin systemd udev kmod mount util-linux fdisk cloud-guest-utils e2fsprogs login bash libpam-modules
  libpam-modules-bin openssh-server openssh-client openssh-sftp-server zstd)
mapfile -t libs < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null "${programs[@]}" 2>/dev/null |
  awk '/^Inst (lib|zlib)/ { print $2 }' | grep -Ev 'perl|python|^libdb[0-9di]|^libgdbm|^libcurl4$|^libpam-(runtime|modules)|semanage|-common$' | sort)
debs=$("$repo/scripts/fetch-debs.sh" "$dir" "$linux" busybox-static tzdata "${programs[@]}" "${libs[@]}")

busybox=$(grep -m 1 /busybox-static_ <<<"$debs")
dpkg-deb --fsys-tarfile "$busybox" | tar -x -C "$dir" --transform 's,.*/,busybox/bin/,' --wildcards './*bin/busybox'
listed <<<"$debs" | sed '1s/^/[ /; 1!s/^/, /; $s/$/ ]/' >"$dir/packages.json.new"
mv "$dir/packages.json.new" "$dir/packages.json"
grep -m 1 /linux-image- <<<"$debs" | listed >"$dir/kernel/$host_suite.json"
echo "$stamp" >"$dir/stamp"
