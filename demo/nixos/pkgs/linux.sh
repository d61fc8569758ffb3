# Debian's cloud kernel: the image under NixOS's name, and of its modules those a guest of Xen can use.
mkdir -p t "$out"
ar p "$deb" data.tar.xz | tar xJ -C t
cp t/boot/vmlinuz-* "$out/bzImage"
cp t/boot/config-* "$out/config"
modules=t/lib/modules
[ -d "$modules" ] || modules=t/usr/lib/modules # since Debian 13
version=$(ls "$modules")
from=$modules/$version
to=$out/lib/modules/$version
mkdir -p "$to/kernel/drivers"
cp "$from/modules.builtin" "$from/modules.order" "$to/"
cp -r "$from/kernel/lib" "$from/kernel/crypto" "$to/kernel/"
for dir in fs/autofs fs/erofs fs/fat fs/fuse fs/isofs fs/nls fs/overlayfs fs/squashfs drivers/block drivers/xen drivers/virtio \
  drivers/cdrom; do
  [ ! -d "$from/kernel/$dir" ] || { mkdir -p "$to/kernel/$dir"; cp -r "$from/kernel/$dir/." "$to/kernel/$dir/"; }
done
for name in xen-netfront xen-pcifront xen-tpmfront xen-scsifront scsi_mod scsi_common sd_mod sr_mod \
  libata ata_piix watchdog xen_wdt; do
  f=$(find "$from/kernel" -name "$name.ko" -o -name "$name.ko.xz")
  [ -n "$f" ] || continue
  mkdir -p "$to/$(dirname "${f#"$from/"}")"
  cp "$f" "$to/${f#"$from/"}"
done
# Packed since Debian 13; busybox's modprobe wants them as they are.
find "$to" -name '*.ko.xz' -exec xz -d {} +
"$fhs/lib64/ld-linux-x86-64.so.2" --argv0 depmod --library-path "$fhs/lib/x86_64-linux-gnu" "$fhs/bin/kmod" -b "$out" "$version"
