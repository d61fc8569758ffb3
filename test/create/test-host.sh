#!/bin/bash
# A name, a machine ID and addresses for a guest whose system leaves them open; refused where the system would not read them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2016 # it is the builder's shell that expands it
networkd='mkdir -p etc/systemd/system; echo unit >etc/systemd/system/systemd-networkd.service'
open=$(build small --argstr extra "$networkd")
named=$(build small --argstr extra "echo own >etc/hostname")
opt=(--from / -o "$out" -q)
id=0123456789abcdef0123456789abcdef

text() { debugfs -R "cat $1" "$out/g1.img?offset=$start" 2>/dev/null; }
has() { [ "$(text "$1")" = "$2" ] || { text "$1" >&2; fail "$1 in the image"; }; }
lacks() { ! debugfs -R "stat $1" "$out/g1.img?offset=$start" 2>&1 | grep -q '^Inode:' || fail "$1 is in the image"; }
network=/etc/systemd/network/05-domstrap.network

create g1 --system "$open" "${opt[@]}" --hostname web-7 --machine-id $id --ip 192.0.2.7/24 --ip 2001:db8::7/64 \
  --gateway 192.0.2.1 --gateway fe80::1 --dns 192.0.2.53
clean "$out/g1.img"
has /etc/hostname web-7
has /etc/machine-id $id
mac=$(sed -n 's/.*mac=\([0-9a-f:]*\).*/\1/p' "$out/g1.cfg")
[[ $mac = 00:16:3e:* ]] || fail "no MAC address in the config"
has $network "[Match]
MACAddress=$mac

[Network]
DHCP=no
Address=192.0.2.7/24
Address=2001:db8::7/64
Gateway=192.0.2.1
Gateway=fe80::1
DNS=192.0.2.53"
debugfs -R "stat $network" "$out/g1.img?offset=$start" 2>/dev/null | grep -Eq 'Mode: +0644 .*' || fail "the mode of $network"
# systemd's own reader, which knows each key.
if command -v systemd-analyze >/dev/null && systemd-analyze --help | grep -q cat-config; then
  mkdir -p root/etc/systemd/network
  text $network >root$network
  systemd-analyze --root="$PWD/root" cat-config systemd/network/05-domstrap.network | grep -q "^MACAddress=$mac" || fail "systemd does not find it"
fi
echo "ok: all of them"

# Another card: its address, or any card if it has none.
for vif in 'bridge=br1,mac=00:16:3e:00:00:01' 'mac = 00:16:3e:00:00:01 , bridge=br1'; do
  create g1 --system "$open" "${opt[@]}" --force --ip 192.0.2.7/24 --vif "$vif" --vif bridge=br2
  text $network | grep -qx 'MACAddress=00:16:3e:00:00:01' || fail "--vif $vif"
  lacks /etc/hostname
  lacks /etc/machine-id
done
create g1 --system "$open" "${opt[@]}" --force --ip 192.0.2.7/24 --vif bridge=br1
text $network | grep -qx 'Type=ether' || fail "--vif without an address"
echo "ok: other cards"

# Wrong input, and systems that would not read the files. Nothing is left.
rm "$out"/*
no() { # WORDS ARGUMENT...
  local words=$1 status=0
  shift
  create g1 "${opt[@]}" "$@" 2>"$work/said" || status=$?
  [ "$status" = 1 ] || [ "$status" = 2 ] || fail "$*: status $status"
  grep -q -- "$words" "$work/said" || { cat "$work/said" >&2; fail "not said: $words"; }
  [ -z "$(ls "$out")" ] || fail "$* leaves $(ls "$out")"
}
no "has its own /etc/hostname" --system "$named" --hostname x
no "useNetworkd" --system "$named" --ip 192.0.2.7/24
no "expected 1 to 63" --system "$open" --hostname -x
no "32 lower-case" --system "$open" --machine-id ${id^^}
no "32 lower-case" --system "$open" --machine-id 00000000000000000000000000000000
for bad in 192.0.2.7 192.0.2.7/ 192.0.2.7/33 192.0.2.7/0 300.0.2.7/24 2001:db8::7/129 /24 x/24 "192.0.2.7/24 " '192.0.2.7/24
DHCP=yes'; do no "such as 192.0.2.7/24" --system "$open" --ip "$bad"; done
no "requires --ip with an IPv4 address" --system "$open" --ip 2001:db8::7/64 --gateway 192.0.2.1
no "requires --ip with an IPv6 address" --system "$open" --ip 192.0.2.7/24 --gateway fe80::1
no "expected an address" --system "$open" --ip 192.0.2.7/24 --gateway 192.0.2.1/24
no "requires --ip" --system "$open" --dns 192.0.2.53
no "expected an address" --system "$open" --ip 192.0.2.7/24 --dns localhost
no "requires a network card" --system "$open" --ip 192.0.2.7/24 --vif none
mkdir -p tree/etc; echo own >tree/etc/hostname
no "also in --extra-files" --system "$open" --hostname x --extra-files tree
echo "ok: refused"
echo "test-host.sh: ok"
