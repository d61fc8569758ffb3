#!/bin/bash
# test-demo.sh DOMSTRAP DOMGRUB: the demo, run without a terminal; NIXOS=1 without a cache, which must report that and end
# with 1; and NIXOS=1 with a local cache and the stand-in as nixpkgs, on a host with an empty store: the guest must be made
# from that cache and boot. The output is kept in build/test-demo/. One line for each check, "N passed, N failed" last. Exit
# status: 0 if none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
DOMSTRAP=$(readlink -f "$1") DOMGRUB=$(readlink -f "$2")
export DOMSTRAP DOMGRUB
ready demo xen
export DEMO_CACHE=file://$dir/no-cache TERM=dumb

"$repo/demo/demo.sh" >"$logs/demo.out" 2>"$logs/demo.err" </dev/null && ok "the demo" || bad "the demo: $(tail -n 5 "$logs/demo.err")"
shown() { grep -Eq -- "$1" "$logs/demo.out"; }
check "each step has its time" same "$(grep -Ec '^  \([0-9.]+ s\)$' "$logs/demo.out")" "$(grep -Ec '^[0-9]+\. ' "$logs/demo.out")"
for command in create update rollback generations; do check "it shows domstrap $command" shown "# domstrap $command "; done
check "the version of Xen" shown "^The guest ran on real Xen 4[.][0-9]+ and "
check "the menu" shown '^  \|.*>  0  NixOS'
check "the menu with two generations" same "$(grep -Ec '^  \|.* NixOS - Configuration [12] ' "$logs/demo.out")" 2
check "the systems that booted" same "$(grep -x '/nix/store/[^ ]*' "$logs/demo.out" | sed 's/.*-nixos-system-//; s/-[0-9].*//' | tr '\n' ' ')" "demo demo2 "
check "no escape sequence, carriage return or path of this machine" sh -c "! sed 's,$DEMO_CACHE,,' '$logs/demo.out' | grep -q -e '$(printf '[\033\r]')' -e '$work'"
check "the guest's disk is gone" test ! -e "$work/demo/disk.img"

rc=0
"$repo/demo/demo.sh" --nixos >"$logs/none.out" 2>"$logs/none.err" </dev/null || rc=$?
check "no cache answers: status 1" same "$rc" 1
check "no cache answers: the message names it" grep -q "$DEMO_CACHE" "$logs/none.err"

if [ "$(id -u)" = 0 ] && unshare --mount true 2>/dev/null; then
  # The stand-in's derivations do not allow substitutes; these do.
  mkdir -p "$dir/nix/store" "$dir/nixpkgs"
  cp -rL "$repo/demo/nixos" "$dir/nixpkgs/"
  sed -i 's/allowSubstitutes = false/allowSubstitutes = true/' "$dir/nixpkgs/nixos/pkgs/default.nix"
  export DOMSTRAP_WORK=$work
  nix_settings
  system=$(nix-build "$dir/nixpkgs/nixos" -A system --arg configuration "$repo/demo/configuration.nix" --no-out-link \
    "${settings[@]}" 2>"$dir/log") || { tail "$dir/log"; die "nix-build"; }
  nix-store "${settings[@]}" --generate-binary-cache-key test-1 "$dir/secret" "$dir/public"
  nix --extra-experimental-features nix-command "${settings[@]}" copy \
    --to "file://$dir/cache?compression=zstd&secret-key=$dir/secret" "$system" 2>"$dir/log" || { cat "$dir/log"; die "nix copy"; }
  export DEMO_CACHE=file://$dir/cache DEMO_NIXPKGS=$dir/nixpkgs
  DEMO_KEY=$(cat "$dir/public") unshare --mount sh -c 'mount --bind "$1" /nix && exec "$2" --nixos' sh "$dir/nix" \
    "$repo/demo/demo.sh" >"$logs/real.out" 2>"$logs/real.err" </dev/null && ok "NIXOS=1" || bad "NIXOS=1: $(tail -n 5 "$logs/real.err")"
  check "NIXOS=1: the system came out of the cache" test -d "$dir$system"
  check "NIXOS=1: nothing was built" sh -c "! ls $dir/nix/var/log/nix/drvs 2>/dev/null | grep -q ."
  check "NIXOS=1: that system booted" grep -qx "$system" "$logs/real.out"
else
  echo "NIXOS=1 with a cache: not tested, needs root and mount name spaces"
fi
finish
