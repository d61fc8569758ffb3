#!@busybox@/bin/sh
# Called by udhcpc with what the DHCP server said in variables.
export PATH=@busybox@/bin
# shellcheck disable=SC2154
case $1 in
  deconfig) ip addr flush dev "$interface" && ip link set "$interface" up ;;
  bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    for r in $router; do ip route replace default via "$r" dev "$interface" && break; done
    for d in $dns; do echo "nameserver $d"; done >/etc/resolv.conf
    ;;
esac
