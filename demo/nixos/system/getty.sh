#!@busybox@/bin/sh
# getty.sh TTY: a login prompt, where there is such a terminal; init would start it again every second.
[ -c "/dev/$1" ] || exec @busybox@/bin/sleep 100d
# busybox would show \l as /dev/hvc0
@busybox@/bin/sed "s|[\\]l|$1|" /etc/issue >"/run/issue.$1"
exec @busybox@/bin/getty -f "/run/issue.$1" -l /run/current-system/sw/bin/login 0 "$1" vt220
