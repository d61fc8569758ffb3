#!/bin/bash
# test-try.sh DOMSTRAP DOMGRUB: a guest gets a generation on trial. Its next start on Xen, through domgrub with --write-env,
# boots that; the start after it the old one; after `domstrap confirm` the new one again. In each boot, a script in the guest
# checks which system is running and what is on trial. The console logs are kept in build/test-try/SUITE/. One line for each
# check, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")

ready demo xen
cp "$repo/demo/configuration.nix" "$dir/old.nix"
sed 's/hostName = "demo"/hostName = "renewed"/' "$dir/old.nix" >"$dir/new.nix"
old=$(demo "$dir/old.nix" old)
new=$(demo "$dir/new.nix" new)
[ "$old" != "$new" ] || die "both systems are one"

boot() { # boot NAME SYSTEM GENERATIONS TRIAL
  local before=$failed
  cat >"$dir/guest-script" <<X
$guest_functions
check "it booted the system meant" same "\$(readlink -f /run/booted-system)" "$2"
check "the generations are $3" gens "$3"
check "on trial: ${4:-nothing}" same "\$(sed -n 's/^domstrap_try=//p' /boot/grub/grubenv)" "$4"
check "no entry is left for the next start" same "\$(sed -n 's/^next_entry=//p' /boot/grub/grubenv)" ""
check "the kernel found no fault with ext4" ext4
X
  machine "$1" -W -b "$domgrub" -c "$dir/g.cfg" -t 1200 -e USER=root -e PASSWORD=nixos -f "$dir/guest-script" boot
  machine_end
  machine_said "$1" "xl shutdown"
  answers "$1" "$dir/guest-script"
  check "$1: e2fsck finds nothing" e2fsck -fn "$dir/g.img?offset=1048576"
  outcome "$1" "$before"
}
trial() { "$domstrap" generations "$dir/g.cfg" --json | jq -c '[.generations[] | [.generation, .default, .trial, .activated]]'; }

"$domstrap" create g -q -o "$dir" --system "$old" --memory 512
"$domstrap" update "$dir/g.cfg" -q --system "$new" --try
check "the config has --write-env" grep -Fqx 'bootloader_args = [ "--write-env" ]' "$dir/g.cfg"
say "booting the generation on trial, the old one, and the confirmed one (2 to 10 minutes)"
boot tried "$new" "1* 2" "$new"
check "tried, and booted last" same "$(trial)" '[[1,true,null,false],[2,false,"tried",true]]'
boot back "$old" "1* 2" "$new"
check "tried, and the old one booted last" same "$(trial)" '[[1,true,null,true],[2,false,"tried",false]]'
"$domstrap" confirm "$dir/g.cfg" -q
boot confirmed "$new" "1 2*" ""
check "confirmed" same "$(trial)" '[[1,false,null,false],[2,true,null,true]]'
finish
