#!/bin/bash
# build-hvm.sh [SUITE]: run build.sh, then make hvm.cpio beside its files: what dom0 needs for HVM guests, added by
# run.sh -H. SUITE is as for build.sh.
#   usr          QEMU as a device model and its libraries, hvmloader, SeaBIOS, the network card's ROM, a key map
#   modules.d    tun, for the device model's network card
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
. "$repo/scripts/suite.sh"
suite=${1:-${XEN_SUITE:-$host_suite}}
"$here/build.sh" "$suite"
apt_of "$suite"
rig=$work/xen-rig/$suite out=$work/xen-rig/$suite/out
only_one "$rig/lock"
stamp=$({ apt_state; sed -n 2p "$out/stamp"; cat "$here/build-hvm.sh"; } | sha256sum)
[ "$(cat "$out/hvm.stamp" 2>/dev/null)" != "$stamp" ] || exit 0

# ipxe-qemu has the ROM of the default network card, but QEMU only recommends it.
mapfile -t names < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null qemu-system-xen ipxe-qemu 2>/dev/null |
  awk '/^Inst (lib|zlib|qemu|seabios|ipxe)/ { print $2 }' | sort)
if [ ${#names[@]} = 0 ]; then
  [ ! -e "$out/hvm.cpio" ] || { say "Xen rig: apt's package lists are empty, using what is there"; exit 0; }
  die "apt does not know qemu-system-xen: run apt-get update first"
fi
{ read -r xenver; read -r kver; } <"$out/versions"
debs=$("$repo/scripts/fetch-debs.sh" "$rig/debs" "${names[@]}" "xen-utils-$xenver" "linux-image-$kver")

say "Xen rig, $suite: QEMU for HVM guests, from ${#names[@]} Debian packages"
tmp=$rig/tmp-hvm
rm -rf "$tmp"
mkdir -p "$tmp"/{all/usr/lib,new/modules.d}
ln -s usr/lib "$tmp/all/lib" # merged /usr, because older packages still use /lib
while read -r deb; do
  case ${deb##*/} in
    xen-utils-*) only=(--wildcards './usr/lib/xen-*/boot/hvmloader') ;;
    linux-image-*) only=(--wildcards '*/drivers/net/tun.ko*') ;;
    *) only=(--exclude=./usr/share/{doc,locale,icons} --exclude='*/gconv/*' --exclude='*/edk2-*') ;;
  esac
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/all" --keep-directory-symlink --no-same-owner "${only[@]}"
done <<<"$debs"

put() { install -D -m 755 "$tmp/all/$1" "$tmp/new/$1"; } # put PATH: into dom0. Only below usr, because dom0's /lib is a link
model=$(cd "$tmp/all" && find usr -name xen-qemu-system-i386 -type f)
[ -n "$model" ] || die "qemu-system-xen: xen-qemu-system-i386 not found in the package"
rom=$(cd "$tmp/all" && find usr -name efi-rtl8139.rom -print -quit)
[ -n "$rom" ] || die "ipxe-qemu: efi-rtl8139.rom not found in the package"
for f in "$model" "usr/lib/xen-$xenver/boot/hvmloader" usr/share/seabios/{bios-256k,vgabios-cirrus}.bin \
  usr/share/qemu/keymaps/en-us "$rom"; do put "$f"; done
tun=$(find "$tmp/all" -name 'tun.ko*')
case $tun in *.xz) xz -dc "$tun" ;; *) cat "$tun" ;; esac >"$tmp/new/modules.d/tun.ko"
# Like ldd, but with the loader and libraries of these packages.
libs=$tmp/all/usr/lib/x86_64-linux-gnu
path=$libs$(find "$libs" -mindepth 1 -maxdepth 1 -type d -printf ':%p')
"$libs/ld-linux-x86-64.so.2" --library-path "$path" --list "$tmp/all/$model" >"$tmp/list"
! grep 'not found' "$tmp/list" >&2 || die "${model##*/}: libraries are missing"
for lib in $(sed -n "s,.* => $tmp/all/\\([^ ]*\\) .*,\\1,p" "$tmp/list"); do put "$lib"; done

(cd "$tmp/new" && find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$out/hvm.cpio.new"
mv "$out/hvm.cpio.new" "$out/hvm.cpio"
echo "$stamp" >"$out/hvm.stamp"
rm -rf "$tmp"
