#!@busybox@/bin/sh
# Run by init once, before there is a login prompt.
export PATH=@busybox@/bin
echo /run/current-system/sw/bin/poweroff >/proc/sys/kernel/poweroff_cmd # what `xl shutdown` makes the kernel run
ip link set lo up
modules=/run/booted-system/kernel-modules/lib/modules
[ ! -d $modules ] || { mkdir -p /lib && ln -sfn $modules /lib/modules; }
for m in @kernelModules@; do modprobe -q "$m"; done
cat /sys/bus/xen/devices/*/modalias 2>/dev/null | sort -u | while read -r alias; do modprobe -q "$alias"; done

# The other file systems. Links below /dev/disk are udev's, which is not here: make those that fstab names.
while read -r device mountPoint _; do
  case $device in
    /dev/disk/by-label/*) found=$(findfs "LABEL=${device##*/}") ;;
    /dev/disk/by-uuid/*) found=$(findfs "UUID=${device##*/}") ;;
    *) found= ;;
  esac
  [ -z "$found" ] || { mkdir -p "${device%/*}" && ln -sfn "$found" "$device"; }
  [ "$mountPoint" = / ] || mkdir -p "$mountPoint"
done </etc/fstab
mount -a

interfaces="@interfaces@"
[ -z "@allDHCP@" ] || interfaces="$interfaces $(cd /sys/class/net && ls -d e* 2>/dev/null)"
for i in $interfaces; do
  [ ! -e "/sys/class/net/$i" ] || udhcpc -i "$i" -s /etc/udhcpc.sh -b -S >/dev/null 2>&1 &
done
