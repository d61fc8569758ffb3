#!/bin/bash
# SPDX-License-Identifier: MIT
# get-pygrub.sh DIR [SUITE]: unpack pygrub of a Debian SUITE (default: the host's) into DIR, without installing it, and make
# DIR/pygrub, which runs it with the Python and the libraries of that suite. Needs no root.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$repo/scripts/suite.sh"
[ $# = 1 ] || [ $# = 2 ] || { echo "usage: get-pygrub.sh DIR [SUITE]" >&2; exit 2; }
suite=${2:-$host_suite}
mkdir -p "$1"
dir=$(cd "$1" && pwd)
exec 8>"$dir/lock"
flock 8 # until the end, in case two tests want it at the same time
if [ -x "$dir/pygrub" ] && [ "$(cat "$dir/suite" 2>/dev/null)" = "$suite" ]; then exit 0; fi

apt_of "$suite"
version=$(apt-cache depends xen-system-amd64 2>/dev/null | sed -n 's/^ *Depends: xen-hypervisor-\([0-9.]*\)-amd64$/\1/p' | head -n 1)
[ -n "$version" ] || die "apt does not know xen-system-amd64: run apt-get update first"
# Python and the libraries, among what apt would install on an empty system.
mapfile -t names < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null "xen-utils-$version" python3 2>/dev/null |
  awk '/^Inst (lib|python3|zlib1g|xen-utils-[0-9])/ { print $2 }' | grep -Ev '^lib(perl|pam|systemd|udev|db5|gcrypt|semanage|sepol|audit|apparmor)')
names+=(ncurses-base)
debs=$("$repo/scripts/fetch-debs.sh" "$dir" "${names[@]}")
rm -rf "$dir/root" "$dir/pygrub"
mkdir -p "$dir/root/usr"/{bin,lib,lib64}
for d in bin lib lib64; do ln -s "usr/$d" "$dir/root/$d"; done
while read -r deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/root" --keep-directory-symlink --no-same-owner --exclude='./usr/share/doc'
  rm "$deb"
done <<<"$debs"
root=$dir/root/usr
python=$(basename "$(readlink -f "$root/bin/python3")")
# /lib64's link to the loader may be absolute, and would lead to the host's loader. The library path is given to this
# command only, because the programs that pygrub starts are the host's.
cat >"$dir/pygrub.new" <<X
#!/bin/sh
export PYTHONHOME=$root PYTHONDONTWRITEBYTECODE=1 TERMINFO_DIRS=$root/share/terminfo:$root/lib/terminfo
export XEN_FSIMAGE_FSDIR=$(find "$root/lib/xen-$version" -type d -name xenfsimage)
exec $root/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 --library-path $(find "$root/lib/xen-$version/lib" -maxdepth 1 -name '*-linux-gnu' | head -n 1):$root/lib/x86_64-linux-gnu \\
  $root/bin/$python $root/lib/xen-$version/bin/pygrub "\$@"
X
echo "$suite" >"$dir/suite"
chmod +x "$dir/pygrub.new"
mv "$dir/pygrub.new" "$dir/pygrub"
