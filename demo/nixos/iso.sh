#!/bin/bash
# iso.sh SYSTEM ISO: make an installation CD like NixOS's minimal one: a small live system for PCs with a root shell on
# the screen and on the first serial port, Nix, mkfs.ext4, nixos-generate-config, nixos-install and nixos-enter. SYSTEM is
# the store path of a system of demo/nixos, or a link to one: the CD boots its kernel and holds its closure to install.
# Needs xorriso, isolinux and syslinux-common; no root. On the CD:
#   isolinux/, boot/     the boot loader; the kernel, and an initrd that finds the CD (iso/init)
#   nix/store, nix-path-registration    the closure, and its entries for Nix's database
#   system               a link to SYSTEM
#   live/                the rest of the live system (iso/live)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: iso.sh SYSTEM ISO" >&2; exit 2; }
system=$(readlink -f "$1") iso=$2
[ -e "$system/kernel" ] || die "$1: not a system with a kernel"
nix_settings
mapfile -t names < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null e2fsprogs 2>/dev/null |
  awk '/^Inst (lib|e2fsprogs)/ { print $2 }')
[ ${#names[@]} -gt 0 ] || die "apt does not know e2fsprogs: run apt-get update first"
debs=$("$repo/scripts/fetch-debs.sh" "$work/nixos-iso" "${names[@]}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp"/{cd/{isolinux,boot,live/bin,live/lib},initrd/{bin,modules},debs}

mapfile -t closure < <(nix-store -qR "$system" "${settings[@]}")
nix-store --dump-db "${closure[@]}" "${settings[@]}" >"$tmp/cd/nix-path-registration"
ln -s "$system" "$tmp/cd/system"

# ---- the initrd: busybox, and the modules that a CD needs, dependencies first ----
install -m 755 "$(readlink -f "$system/sw/bin/busybox")" "$tmp/initrd/bin/busybox"
install -m 755 "$here/iso/init" "$tmp/initrd/init"
modules=$(echo "$system"/kernel-modules/lib/modules/*)
for name in ata_piix sr_mod isofs overlay xen_blkfront; do
  line=$(grep "/${name//_/[-_]}\.ko:" "$modules/modules.dep") || continue # built into the kernel
  for file in $(tr ' ' '\n' <<<"${line/:/}" | tac); do
    [ ! -e "$tmp/initrd/modules/${file##*/}" ] || continue
    cp "$modules/$file" "$tmp/initrd/modules/"
    echo "${file##*/}" >>"$tmp/initrd/order"
  done
done
(cd "$tmp/initrd" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 | gzip -9n) >"$tmp/cd/boot/initrd"
cp "$system/kernel" "$tmp/cd/boot/bzImage"

# ---- the live system: NixOS's commands, and Debian's mkfs.ext4 with its libraries ----
install -m 755 "$here"/iso/nixos-* "$tmp/cd/live/bin/"
install -m 755 "$here/iso/live" "$tmp/cd/live/init"
while read -r deb; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$tmp/debs" --keep-directory-symlink --no-same-owner
done <<<"$debs"
find "$tmp/debs" -path '*/sbin/mke2fs' -exec cp {} "$tmp/cd/live/bin/mkfs.ext4" \;
for lib in ld-linux-x86-64 libc libpthread libext2fs libcom_err libblkid libuuid libe2p; do
  find "$tmp/debs" -path "*/lib/x86_64-linux-gnu/$lib.so.[0-9]" -exec cp -L {} "$tmp/cd/live/lib/" \;
done

# ---- the boot loader, without a prompt ----
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 "$tmp/cd/isolinux/"
cat >"$tmp/cd/isolinux/isolinux.cfg" <<X
SERIAL 0 115200
DEFAULT nixos
LABEL nixos
  KERNEL /boot/bzImage
  INITRD /boot/initrd
  APPEND quiet console=tty0 console=ttyS0,115200n8
X
grafts=()
for path in "${closure[@]}"; do grafts+=("$path=$path"); done
xorriso -as mkisofs -quiet -R -V NIXOS_DEMO -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table -isohybrid-mbr /usr/lib/ISOLINUX/isohdpfx.bin -graft-points -o "$iso" /="$tmp/cd" \
  "${grafts[@]}" >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; die "xorriso failed"; }
