#!@busybox@/bin/sh
# Stage 1, in the initrd: find the root file system as the configuration names it, mount it, start stage 2.
targetRoot=/mnt-root
stage2Init=/init
export PATH=@busybox@/bin

fail() {
  echo "stage 1: $1"
  [ -z "$panicOnFail" ] || exit 1 # the kernel panics when PID 1 ends
  [ -z "$shellOnFail" ] || setsid cttyhack sh
  echo "stage 1: cannot go on; add boot.shell_on_fail to the kernel's command line for a shell. Restarting in 60 s."
  sleep 60
  reboot -f
}

echo
echo "<<< NixOS Stage 1 >>>"
echo
mkdir -p /proc /sys /dev /run /tmp /lib $targetRoot
mount -t proc -o nosuid,noexec,nodev proc /proc
mount -t sysfs -o nosuid,noexec,nodev sysfs /sys
mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev
mount -t tmpfs -o nosuid,nodev,mode=0755 tmpfs /run
ln -s @modulesClosure@/lib/modules /lib/modules

for o in $(cat /proc/cmdline); do
  case $o in
    init=*) stage2Init=${o#init=} ;;
    boot.trace) set -x ;;
    boot.shell_on_fail) shellOnFail=1 ;;
    boot.panic_on_fail | panic=* | stage1panic=1) panicOnFail=1 ;;
  esac
done

for m in @kernelModules@; do
  echo "loading module $m..."
  modprobe -q "$m"
done
# udev's work: load what the devices that are there ask for
coldplug() { cat /sys/bus/*/devices/*/modalias 2>/dev/null | sort -u | while read -r alias; do modprobe -q "$alias"; done; }
coldplug

# what DEVICE: its node, once it is there; links below /dev/disk are udev's, so they are made here
node() {
  case $1 in
    /dev/disk/by-label/*) findfs "LABEL=${1#/dev/disk/by-label/}" ;;
    /dev/disk/by-uuid/*) findfs "UUID=${1#/dev/disk/by-uuid/}" ;;
    LABEL=* | UUID=*) findfs "$1" ;;
    *) [ ! -b "$1" ] || echo "$1" ;;
  esac 2>/dev/null
}
read -r device mountPoint fsType options _ <@fsInfo@
i=0
until dev=$(node "$device") && [ -n "$dev" ]; do
  [ $i != 0 ] || echo "waiting for device $device to appear..."
  i=$((i + 1))
  [ $i -lt 200 ] || fail "device $device did not appear in 20 s; disks there are: $(ls /sys/block | tr '\n' ' ')"
  [ $((i % 20)) != 0 ] || coldplug
  usleep 100000
done

echo "mounting $device on $mountPoint..."
[ "$fsType" != auto ] || fsType=ext4
options=$(echo ",$options" | sed 's/,x-[^,]*//g; s/^,//') # systemd's
mount -t "$fsType" -o "${options:-defaults}" "$dev" $targetRoot || fail "$device cannot be mounted as $fsType"
[ -e "$targetRoot$stage2Init" ] || [ -L "$targetRoot$stage2Init" ] ||
  fail "stage 2's init ($stage2Init) is not on $device"
mkdir -m 0755 -p $targetRoot/proc $targetRoot/sys $targetRoot/dev $targetRoot/run
for d in proc sys dev run; do mount -o move /$d $targetRoot/$d; done

# A system made for systemd's stage 1 has its stage 2 in prepare-root, to be run in the new root.
closure=${stage2Init%/*}
if [ -x "$targetRoot$closure/prepare-root" ]; then
  IN_NIXOS_SYSTEMD_STAGE1=true chroot $targetRoot "$closure/prepare-root" || fail "$closure/prepare-root failed"
fi
exec env -i @busybox@/bin/switch_root $targetRoot "$stage2Init"
