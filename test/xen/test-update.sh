#!/bin/bash
# test-update.sh DOMSTRAP DOMGRUB: a guest made from a binary cache, without Nix in PATH, gets a new generation from there,
# boots it on Xen through domgrub, is rolled back, and boots the old one. In each boot, a script in the guest checks which
# system is running, and verifies the store with the guest's Nix. The console logs are kept in build/test-update/SUITE/. One
# line for each check, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")

ready demo xen
cp "$repo/demo/configuration.nix" "$dir/old.nix"
sed 's/hostName = "demo"/hostName = "renewed"/' "$dir/old.nix" >"$dir/new.nix"
old=$(demo "$dir/old.nix" old)
new=$(demo "$dir/new.nix" new)
[ "$old" != "$new" ] || die "both systems are one"
nix-store --generate-binary-cache-key test-1 "$dir/secret" "$dir/public"
nix --extra-experimental-features nix-command copy --to "file://$dir/cache?compression=zstd&secret-key=$dir/secret" "$old" "$new" 2>"$dir/log" ||
  { cat "$dir/log" >&2; die "nix copy"; }

boot() { # boot NAME SYSTEM HOSTNAME GENERATIONS
  local before=$failed
  cat >"$dir/guest-script" <<X
$guest_functions
check "the host is $3" same "\$(hostname)" "$3"
check "it booted the system meant" same "\$(readlink -f /run/booted-system)" "$2"
check "the generations are $4" gens "$4"
check "its Nix verifies every path of its store" nix-store --verify --check-contents
check "nothing in the store is dead" same "\$(nix-store --gc --print-dead 2>/dev/null)" ""
check "a file can be written" sh -c 'head -c 3000000 /dev/urandom >/root/by-$3'
check "the kernel found no fault with ext4" ext4
X
  machine "$1" -W -b "$domgrub" -c "$dir/g.cfg" -t 1200 -e USER=root -e PASSWORD=nixos -f "$dir/guest-script" boot
  machine_end
  machine_said "$1" "xl shutdown"
  answers "$1" "$dir/guest-script"
  check "$1: e2fsck finds nothing" e2fsck -fn "$dir/g.img?offset=1048576"
  outcome "$1" "$before"
}

# Without Nix: no programs except domstrap, and nothing from the host's store.
cache=(--from "file://$dir/cache" --trusted-key "$(cat "$dir/public")")
mkdir "$dir/bin"
PATH=$dir/bin "$domstrap" create g -q -o "$dir" --system "$old" "${cache[@]}" --memory 512
PATH=$dir/bin "$domstrap" update "$dir/g.cfg" -q --system "$new" "${cache[@]}"
say "booting the new generation, then the old one (1 to 5 minutes)"
boot updated "$new" renewed "1 2*"
"$domstrap" rollback "$dir/g.cfg" -q
boot rolled-back "$old" demo "1* 2"
"$domstrap" generations "$dir/g.cfg"
finish
