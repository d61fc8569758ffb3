#!/bin/bash
# test-grub.sh DOMSTRAP: `create --boot grub` on a real Xen. GRUB for PVH guests, of Debian's grub-xen-host (unpacked, not
# installed), boots the demo system by the guest's own menu; then an update from outside and a rollback decide what it boots.
# The consoles stay in build/test-grub/SUITE/.
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || usage DOMSTRAP
domstrap=$(readlink -f "$1")
ready demo xen
dpkg-deb -x "$("$repo/scripts/fetch-debs.sh" "$work/grub-xen" grub-xen-host)" "$dir/debian"
image=$dir/debian/usr/lib/grub-xen/grub-i386-xen_pvh.bin
sed 's/boot.kernelParams = .*/boot.kernelParams = [ "console=hvc0" "panic=30" ];/' "$repo/demo/configuration.nix" >"$dir/configuration.nix"
first=$(small "$dir/configuration.nix" first)
sed -i 's/hostName = "demo"/hostName = "second"/' "$dir/configuration.nix"
second=$(small "$dir/configuration.nix" second)

"$domstrap" create g -q --system "$first" --boot grub --grub-image "$image" --memory 512 --output "$dir"
check "the config's kernel is GRUB" grep -Fqx "kernel = \"$image\"" "$dir/g.cfg"
check "the guest is PVH" grep -Fqx 'type = "pvh"' "$dir/g.cfg"
refuses() { ! "$@" >"$dir/said" 2>&1 && grep -q 'PVH guests only' "$dir/said"; }
check "not for a PV guest" refuses "$domstrap" create pv --system "$first" --boot grub --grub-image "$image" --type pv --output "$dir"

script() { # script SYSTEM: what the guest is to be
  cat >"$dir/guest-script" <<X
$guest_functions
check "this system was booted" same "\$(readlink -f /run/booted-system)" "$1"
check "by a command line of the menu" has "\$(cat /proc/cmdline)" "init=$1/init"
check "the kernel found no fault with ext4" ext4
X
}
boots() { # boots NAME SYSTEM
  local before
  script "$2"
  say "booting $1 (1 to 3 minutes)"
  machine "$1" -W -c "$dir/g.cfg" -t 1500 -e USER=root -e PASSWORD=nixos -f "$dir/guest-script" boot
  before=$failed
  machine_end
  machine_said "$1" "login prompt" "logged in as root" "xl shutdown"
  answers "$1" "$dir/guest-script"
  outcome "$1" "$before"
}
boots created "$first"
check "update" "$domstrap" update "$dir/g.cfg" --system "$second" -q
boots updated "$second"
check "rollback" "$domstrap" rollback "$dir/g.cfg" -q
boots back "$first"
check "the file system is clean after the guest's use" e2fsck -fn "$dir/g.img?offset=1048576"
finish
