#!/bin/bash
# domstrap check: a guest that can run is reported as such, and every reason why a guest cannot run is found and named.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

make() { "$DOMSTRAP" create "$@" --system "$(system 1)" -q --size 96M; }
make one --vif none
make two --vif none --layout split --boot-size 24M
make pvh --vif none --type pvh
make direct --vif none --boot direct

top=$(basename "$(system 1)")
of() { basename "$(nix-store -qR "$(system 1)" | grep -- "$1")"; }
linux=/nix/store/$(of -linux-6) ramdisk=/nix/store/$(of -initrd-)
put() { # put IMAGE PATH FILE: replace a file of the image by FILE
  printf 'rm %s\ncd %s\nwrite %s %s\n' "$2" "${2%/*}" "$3" "${2##*/}" >commands
  debugfs -w -f commands "$(part "$1")" >/dev/null 2>&1
}
modules() { # modules PACKING NAME...: make an initrd with these modules after a microcode archive
  local pack=$1
  shift
  rm -rf tree early; mkdir -p tree/lib/modules early/kernel/x86/microcode
  echo code >early/kernel/x86/microcode/AuthenticAMD.bin
  for m; do echo x >"tree/lib/modules/$m"; done
  ln -s /init.real tree/init
  (cd early && find . | cpio -o -H newc --quiet) >initrd
  (cd tree && find . | cpio -o -H newc --quiet) | $pack >>initrd
}
python3 "$tools/kernel.py" 6.12.40 1 0 pv.kernel
python3 "$tools/kernel.py" 6.12.40 0 1 pvh.kernel
python3 "$tools/kernel.py" 6.12.40 1 1 both.kernel
printf 'kernel/fs/ext4/ext4.ko\nkernel/drivers/xen/xen-evtchn.ko\n' >builtin

# The tests' system has no real kernel and modules, so add some.
modules "gzip -9" xen-blkfront.ko.xz virtio_blk.ko
for img in one.img pvh.img direct.img; do
  put $img "$linux/bzImage" both.kernel
  put $img "$ramdisk/initrd" initrd
  put $img "$linux/lib/modules/6.12.40/modules.builtin" builtin
done
cp both.kernel direct.kernel; cp initrd direct.initrd
put two-root.img "$linux/lib/modules/6.12.40/modules.builtin" builtin
put two-boot.img "/kernels/${linux##*/}-bzImage" both.kernel
put two-boot.img "/kernels/${ramdisk##*/}-initrd" initrd

for guest in one.cfg two.cfg pvh.cfg direct.cfg one.img; do
  ends 0 '^ok: xen_blkfront: .*initrd' check $guest
  grep -q '^ok: ext4: built into the kernel' said || { cat said >&2; fail "$guest: ext4"; }
  grep -q '^ok: root device: label NIXOS found' said || { cat said >&2; fail "$guest: root"; }
  grep -q '^ok: console' said || { cat said >&2; fail "$guest: console"; }
  grep -qE "^ok: /nix/store/$top/init: " said || { cat said >&2; fail "$guest: init"; }
  ! grep -q '^error\|^warning' said || { cat said >&2; fail "$guest: something is wrong"; }
done
"$DOMSTRAP" check --json one.cfg >said
python3 -c '
import json
o = json.load(open("said"))
assert o["schema"] == 1 and o["ok"]
assert {"xen", "xl", "bootloader", "disk", "menu", "start", "kernel", "root", "driver", "console", "init"} <= {
    f["kind"] for f in o["findings"]}, o
assert all(f["severity"] in ("ok", "unknown") and f["reason"] for f in o["findings"]), o'
if [ ! -e /proc/xen/privcmd ]; then
  ends 0 '^unknown: Xen: this host does not run Xen' check
  ends 0 'not possible' check
fi

# Every compression of an initrd, and several archives.
for pack in cat "gzip -1" "xz --check=crc32" lzma "zstd -q" "lz4 -l"; do
  command -v "${pack%% *}" >/dev/null || continue
  modules "$pack" xen-blkfront.ko
  cat initrd >two.initrd
  modules "$pack" ext4.ko xen-blkfront.ko.zst
  cp initrd direct.initrd
  cat initrd >>two.initrd
  # Linux reads LZ4's legacy frame up to the end of the file: nothing can follow it.
  [ "${pack%% *}" = lz4 ] || cp two.initrd direct.initrd
  ends 0 '^ok: ext4: .*initrd' check direct.cfg
  grep -q '^ok: xen_blkfront: .*initrd' said || { cat said >&2; fail "$pack: xen_blkfront"; }
done
modules "bzip2" xen-blkfront.ko
cp initrd direct.initrd
ends 0 '^unknown: xen_blkfront: the initrd cannot be read: .*bzip2' check direct.cfg
head -c 700 two.initrd >direct.initrd
ends 0 '^unknown: xen_blkfront: the initrd cannot be read' check direct.cfg

# Reasons why a guest cannot run.
damaged() { cp --sparse=always one.img "$1"; }
modules "gzip -9" virtio_blk.ko
damaged x.img; put x.img "$ramdisk/initrd" initrd
ends 4 "^error: xen_blkfront: the Xen disk driver is neither" check x.img
grep -q 'availableKernelModules' said || fail "no remedy for xen_blkfront"
damaged x.img; : >none; put x.img "$linux/lib/modules/6.12.40/modules.builtin" none
ends 4 "^error: ext4: the root file system's driver is neither" check x.img
damaged x.img; put x.img "$linux/bzImage" pvh.kernel
sed "s,/.*/one.img,$PWD/x.img," one.cfg >x.cfg
ends 4 '^error: .*bzImage: cannot boot as a pv guest' check x.cfg
sed -i 's/^type = .*/type = "pvh"/' x.cfg
ends 0 '^ok: .*bzImage: 6\.12\.40,' check x.cfg
put x.img "$linux/bzImage" pv.kernel
ends 4 'bzImage: cannot boot as a pvh guest' check x.cfg
damaged x.img; echo 'menuentry "broken" { linux /none }' >grub.cfg; put x.img /boot/grub/grub.cfg grub.cfg
ends 4 '^error: broken: cannot boot: .*/none' check x.img
echo 'if' >grub.cfg; put x.img /boot/grub/grub.cfg grub.cfg
ends 4 '^error: ' check x.img
damaged x.img; debugfs -w -R 'rm /boot/grub/grub.cfg' 'x.img?offset=1048576' >/dev/null 2>&1
ends 4 '^error: boot menu: ' check x.img
damaged x.img; debugfs -w -R "rm /nix/store/$top/init" 'x.img?offset=1048576' >/dev/null 2>&1
ends 4 "^error: /nix/store/$top/init: " check x.img
damaged x.img; tune2fs -L OTHER 'x.img?offset=1048576' >/dev/null 2>&1 ||
  debugfs -w -R 'set_super_value volume_name OTHER' 'x.img?offset=1048576' >/dev/null 2>&1
ends 4 '^error: root device: label NIXOS not found' check x.img
damaged x.img; debugfs -R "cat /boot/grub/grub.cfg" 'x.img?offset=1048576' 2>/dev/null | sed 's/console=hvc0//' >grub.cfg
put x.img /boot/grub/grub.cfg grub.cfg
ends 0 '^warning: console: no console=hvc0' check x.img
# A PV guest's default console is hvc0, a PVH guest's is that of a PC. A masked getty gives no login.
sed "s,/.*/one.img,$PWD/x.img," one.cfg >x.cfg
ends 0 '^ok: console: hvc0 is the default of a PV guest' check x.cfg
put x.img "$linux/bzImage" both.kernel
sed -i 's/^type = .*/type = "pvh"/' x.cfg
ends 0 '^warning: console: no console=hvc0' check x.cfg
getty=/nix/store/$top/etc/systemd/system/serial-getty@hvc0.service
printf 'mkdir %s\n' "/nix/store/$top/etc/systemd" "${getty%/*}" >commands
printf 'symlink %s /dev/null\n' "$getty" >>commands
debugfs -w -f commands 'x.img?offset=1048576' >/dev/null 2>&1
ends 0 '^warning: console: no console=hvc0' check x.cfg
: >none; put x.img "$getty" none
ends 0 '^warning: console: no console=hvc0' check x.cfg
echo '[Service]' >unit; put x.img "$getty" unit
ends 0 '^ok: console: a getty runs on hvc0' check x.cfg
sed 's,/.*/one.img,/no/such.img,' one.cfg >x.cfg
ends 4 '^error: /no/such.img: not found' check x.cfg
sed 's,/.*/direct.kernel,/no/such.kernel,' direct.cfg >x.cfg
ends 4 '^error: /no/such.kernel: ' check x.cfg
printf 'name = "n\033"\nmemory = 64\n' >x.cfg
ends 4 '^error: disks: the config has no disks' check x.cfg
( exec 9<one.img; flock -x 9; ends 4 '^error: [^:]*one.img: locked by another program' check one.cfg )
ends 0 'one.img: found' check one.cfg

# The tests' system has no real kernel, so it is unknown whether it supports Xen.
ends 0 '^warning: .*/kernel: cannot tell whether it supports Xen' check --system "$(system 1)"
ends 1 'no/such' check --system no/such
ends 2 'mutually exclusive' check --system "$(system 1)" one.img
ends 1 'no/such' check no/such
ends 4 'neither a file nor a block device' check .
echo "test-check.sh: ok"
