#!/bin/bash
# test-boot.sh [-s SYSTEM] DOMSTRAP [ARGUMENTS]: create and boot, end to end. Makes an image of the demo system (or of
# SYSTEM) with `DOMSTRAP [ARGUMENTS] create`, boots it on Xen once as PV and once as PVH, logs in, and verifies the store
# with the guest's Nix. Afterwards, checks the disk with e2fsck. The console logs are kept in build/test-boot/SUITE/. One
# line for each check, "N passed, N failed" last. Exit status: 0 if none failed, else 1; 2 usage.
. "$(dirname "$0")/lib.sh"
words="[-s SYSTEM] DOMSTRAP [ARGUMENTS]"
system=
while getopts s: option; do case $option in s) system=$OPTARG ;; *) usage "$words" ;; esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage "$words"

ready demo xen
configuration=$repo/demo/configuration.nix
[ -n "$system" ] || system=$(demo "$configuration")

cat >"$dir/guest-script" <<X
$guest_functions
check "the guest's Nix verifies every path of its store" nix-store --verify --check-contents
check "nothing in the store is dead" same "\$(nix-store --gc --print-dead 2>/dev/null)" ""
check "the system profile is at generation 1" gens "1*"
check "the profile is what was booted" same "\$(readlink -f /nix/var/nix/profiles/system)" "\$(readlink -f /run/booted-system)"
check "/nix/store is 1775 0:30000" same "\$(stat -c '%a %u:%g' /nix/store)" "1775 0:30000"
check "/etc/nixos/configuration.nix is the one given" same "\$(sha256sum </etc/nixos/configuration.nix)" "$(sha256sum <"$configuration")"
check "a file can be written" touch /root/new
check "the network gave an address" ping -c 1 -W 5 10.9.0.1
check "the kernel found no fault with ext4" ext4
X

# At the same time: each emulated machine keeps one processor busy.
for type in pv pvh; do
  mkdir "$dir/$type"
  "$@" create demo -q --system "$system" --boot direct --type "$type" --memory 512 --output "$dir/$type" \
    --configuration "$configuration"
  machine "$type" -W -c "$dir/$type/demo.cfg" -t 1500 -e USER=root -e PASSWORD=nixos -f "$dir/guest-script" boot
done
say "booting a PV and a PVH guest, each in a Xen of its own (1 to 3 minutes)"
for type in pv pvh; do
  before=$failed
  machine_end
  machine_said "$type" "login prompt" "logged in as root" "xl shutdown"
  answers "$type" "$dir/guest-script"
  check "$type: the file system is clean after the guest's use" e2fsck -fn "$dir/$type/demo.img?offset=1048576"
  outcome "$type" "$before"
done
finish
