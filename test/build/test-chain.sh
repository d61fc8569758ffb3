#!/bin/bash
# test-chain.sh DOMSTRAP: from nothing to an image, using only domstrap: init, build, create, and an update from a changed
# configuration. nixpkgs is a directory with the demo's nixos/.
. "$(dirname "$0")/../lib.sh"
domstrap=$(readlink -f "${1:?DOMSTRAP}")
scratch
export HOME=$dir/home TZ=UTC LC_ALL=C
unset SOURCE_DATE_EPOCH
mkdir -p "$HOME/.ssh" "$dir/nixpkgs"
try() { # try WHAT COMMAND...: check that COMMAND succeeds
  local what=$1
  shift
  if "$@" >"$dir/out" 2>"$dir/log" </dev/null; then ok "$what"; else bad "$what: $(tail -n 3 "$dir/log")"; fi
}
inside() { debugfs -R "cat $2" "$1" 2>/dev/null; }
sound() { try "e2fsck: $1" e2fsck -fn "$2"; }

"$repo/demo/nixos/fetch.sh"
ln -s "$repo/demo/nixos" "$dir/nixpkgs/nixos"
export DOMSTRAP_WORK=$work
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYdlomt+p+ocbpH4VKk1qQm6EeKqYartd2C//rv8k51 me' >"$HOME/.ssh/id_ed25519.pub"
nix_settings
nix=(--nixpkgs "$dir/nixpkgs" "${settings[@]}")
cd "$dir"

# ---- one disk ----

try "init" "$domstrap" init web1
cd web1
try "build" "$domstrap" build "${nix[@]}"
system=$(cat "$dir/out")
[[ $system == /nix/store/*-nixos-system-web1-* && $(readlink result) = "$system" ]] && ok "build prints the system" || bad "build prints the system: $system"
try "create" "$domstrap" create web1 --config configuration.nix "${nix[@]}"
[ "$(readlink web1.system)" = "$system" ] && ok "create builds the same" || bad "create builds the same"
sound "one disk" "web1.img?offset=1048576"
inside "web1.img?offset=1048576" /etc/nixos/configuration.nix | cmp -s - configuration.nix && ok "its configuration" || bad "its configuration"
inside "web1.img?offset=1048576" /root/.nix-channels | grep -q '^https://channels.nixos.org/nixos-[0-9.]* nixos$' && ok "its channel" || bad "its channel"
sed -i 's/hostName = "web1"/hostName = "web2"/' configuration.nix
try "update" "$domstrap" update web1.cfg --config configuration.nix "${nix[@]}"
grep -q '^generation 2: /nix/store/.*-nixos-system-web2-' "$dir/out" && ok "a second generation" || bad "a second generation: $(cat "$dir/out")"
sound "updated" "web1.img?offset=1048576"
inside "web1.img?offset=1048576" /etc/nixos/configuration.nix | cmp -s - configuration.nix && ok "the new configuration" || bad "the new configuration"
cd ..

# ---- two disks, for pygrub ----

try "init for two disks" "$domstrap" init web3 --layout split --boot pygrub --ip 192.0.2.7/24 --gateway 192.0.2.1
try "create on two disks" "$domstrap" create web3 --config web3/configuration.nix "${nix[@]}" --layout split --boot pygrub
sound "boot disk" web3-boot.img
sound "root disk" web3-root.img
inside web3-boot.img /grub/grub.cfg | grep -q 'linux /kernels/' && ok "a menu that pygrub reads" || bad "a menu that pygrub reads"

# ---- a flake, with a flake of the demo as nixpkgs ----

cat >nixpkgs.nix <<'NIX'
{ outputs = { self }: {
  lib.nixosSystem = { system, modules }: import (self + "/nixos") { inherit system; configuration = { imports = modules; };
    debs = @debs@; };
}; }
NIX
try "init --flake" "$domstrap" init web4 --flake
mkdir flake-nixpkgs
cp -rL nixpkgs/nixos flake-nixpkgs/
sed "s,@debs@,/. + \"$work/nixos\"," nixpkgs.nix >flake-nixpkgs/flake.nix
cp -r web4 web4-here
sed -i "s,inputs.nixpkgs.url = .*,inputs.nixpkgs.url = \"path:$dir/flake-nixpkgs\";," web4-here/flake.nix
# Debian's packages are outside the flake, where a pure evaluation may not read.
try "create --flake" "$domstrap" create web4 --flake ./web4-here "${nix[@]:2}" --option pure-eval false
[[ $(readlink web4.system) == *-nixos-system-web4-* ]] && ok "the flake's system" || bad "the flake's system"
sound "from a flake" "web4.img?offset=1048576"
inside "web4.img?offset=1048576" /etc/nixos/flake.nix | cmp -s - web4-here/flake.nix && ok "flake.nix" || bad "flake.nix"
inside "web4.img?offset=1048576" /etc/nixos/flake.lock | grep -q '"nixpkgs"' && ok "flake.lock" || bad "flake.lock"
inside "web4.img?offset=1048576" /etc/nixos/configuration.nix | cmp -s - web4/configuration.nix && ok "configuration.nix" || bad "configuration.nix"
finish
