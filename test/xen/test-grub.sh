#!/bin/bash
# test-grub.sh DOMSTRAP: `create --boot grub` on real Xen. GRUB for PVH guests, from Debian's grub-xen-host (unpacked, not
# installed), boots the demo system from the guest's own menu; then an update from outside and a rollback select what it
# boots. The console logs are kept in build/test-grub/SUITE/.
. "$(dirname "$0")/lib.sh"
[ $# = 1 ] || usage DOMSTRAP
domstrap=$(readlink -f "$1")
ready demo xen
dpkg-deb -x "$("$repo/scripts/fetch-debs.sh" "$work/grub-xen" grub-xen-host)" "$dir/debian"
image=$dir/debian/usr/lib/grub-xen/grub-i386-xen_pvh.bin
sed 's/boot.kernelParams = .*/boot.kernelParams = [ "console=hvc0" "panic=30" ];/' "$repo/demo/configuration.nix" >"$dir/configuration.nix"
first=$(demo "$dir/configuration.nix" first)
sed -i 's/hostName = "demo"/hostName = "second"/' "$dir/configuration.nix"
second=$(demo "$dir/configuration.nix" second)

"$domstrap" create g -q --system "$first" --boot grub --grub-image "$image" --memory 512 --output "$dir"
"$domstrap" create h -q --system "$first" --boot grub --grub-image "$image" --memory 512 --output "$dir"
check "the config's kernel is GRUB" grep -Fqx "kernel = \"$image\"" "$dir/g.cfg"
check "the guest is PVH" grep -Fqx 'type = "pvh"' "$dir/g.cfg"
refuses() { ! "$@" >"$dir/said" 2>&1 && grep -q 'PVH guests only' "$dir/said"; }
check "not for a PV guest" refuses "$domstrap" create pv --system "$first" --boot grub --grub-image "$image" --type pv --output "$dir"

script() { # script SYSTEM: print the script that checks the guest
  cat <<X
$guest_functions
check "this system was booted" same "\$(readlink -f /run/booted-system)" "$1"
check "by a command line of the menu" has "\$(cat /proc/cmdline)" "init=$1/init"
check "the kernel found no fault with ext4" ext4
X
}
starts() { # starts NAME SYSTEM GUEST
  mkdir "$dir/script-$1"
  script "$2" >"$dir/script-$1/guest-script"
  machine "$1" -W -c "$dir/$3.cfg" -t 1500 -e USER=root -e PASSWORD=nixos -f "$dir/script-$1/guest-script" boot
}
ends() { # ends NAME
  local before=$failed
  machine_end
  machine_said "$1" "login prompt" "logged in as root" "xl shutdown"
  answers "$1" "$dir/script-$1/guest-script"
  outcome "$1" "$before"
}
# Two guests at the same time, one processor each: one unchanged after create, the other updated before its first boot and
# rolled back after it.
say "booting two guests (1 to 3 minutes)"
starts created "$first" g
check "update" "$domstrap" update "$dir/h.cfg" --system "$second" -q
starts updated "$second" h
ends created
ends updated
check "rollback" "$domstrap" rollback "$dir/h.cfg" -q
say "booting what was rolled back (1 to 2 minutes)"
starts back "$first" h
ends back
for guest in g h; do check "$guest: the file system is clean after its use" e2fsck -fn "$dir/$guest.img?offset=1048576"; done
finish
