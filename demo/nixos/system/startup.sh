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

# Xen's cards are called so by udev
driver() { basename "$(readlink "/sys/class/net/$1/device/driver")"; }
for i in $(cd /sys/class/net && ls -d eth* 2>/dev/null); do
  [ "$(driver "$i")" != vif ] || ip link set "$i" name "enX${i#eth}"
done
interfaces="@interfaces@"
[ -z "@allDHCP@" ] || interfaces="$interfaces $(cd /sys/class/net && ls -d e* 2>/dev/null)"
for i in $interfaces; do
  [ ! -e "/sys/class/net/$i" ] || udhcpc -i "$i" -s /etc/udhcpc.sh -b -S >/dev/null 2>&1 &
done

# networkd's work
while read -r match value dhcp addresses gateways servers; do
  for i in $(cd /sys/class/net && echo *); do
    name=$i
    [ "$match" != Driver ] || name=$(driver "$i")
    # shellcheck disable=SC2254 # a pattern, as it is to networkd
    case $name in $value) ;; *) continue ;; esac
    ip link set "$i" up
    [ "$addresses" = - ] || for a in $(echo "$addresses" | tr , ' '); do ip addr add "$a" dev "$i"; done
    [ "$gateways" = - ] || for g in $(echo "$gateways" | tr , ' '); do ip route add default via "$g" dev "$i"; done
    [ "$servers" = - ] || for s in $(echo "$servers" | tr , ' '); do echo "nameserver $s"; done >/etc/resolv.conf
    [ "$dhcp" = no ] || udhcpc -i "$i" -s /etc/udhcpc.sh -b -S >/dev/null 2>&1 &
  done
done <@networks@
