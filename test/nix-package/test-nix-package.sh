#!/bin/bash
# test-nix-package.sh DOMSTRAP DOMGRUB VERSION: evaluate flake.nix, package.nix and nixos-module.nix with real Nix and a
# stand-in for nixpkgs (nixpkgs/): the names of inputs, phases and options exist, the flake has the expected outputs, DOMSTRAP
# and DOMGRUB accept the configuration files that the module writes, and the package is a derivation.
DOMSTRAP=$(readlink -f "$1") && export DOMSTRAP
domgrub=$(readlink -f "$2") version=$3
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
. "$here/../world.sh"

# Only source files, because Nix copies all of a flake to the store.
(cd "$repo" && our_files '*' | grep -v '^fuzz/corpus/' | tar -c -T -) | tar -x --one-top-level="$work/source"
mkdir "$work/source/fuzz/corpus"
cp -r "$here/nixpkgs" "$work/nixpkgs"
flake=(--extra-experimental-features flakes --override-input nixpkgs "path:$work/nixpkgs" --no-write-lock-file)
system=$(nix-instantiate --eval -E builtins.currentSystem | tr -d '"')

# is WHAT WANTED GOT
is() {
  [ "$2" = "$3" ] || fail "$1: got '$3', not '$2'"
  echo "ok: $1"
}
eval_flake() { # eval_flake ATTRIBUTE NIX-ARGUMENT...
  local attribute=$1
  shift
  nix eval "${flake[@]}" --raw "$@" "path:$work/source#$attribute" 2>"$work/err" || { cat "$work/err" >&2; fail "nix eval $attribute"; }
}

# ---- the flake ----

for s in x86_64-linux aarch64-linux; do
  is "version on $s" "$version" "$(eval_flake "packages.$s.default.version")"
  is "$s has its own package" "$s" "$(eval_flake "packages.$s.domstrap.system")"
done
is "the module is a function" lambda "$(eval_flake nixosModules.default --apply builtins.typeOf)"
is "the overlay adds domstrap" domstrap "$(eval_flake overlays.default \
  --apply 'o: builtins.concatStringsSep " " (builtins.attrNames (o { callPackage = path: args: path; } { }))')"

# ---- the module ----

cat >"$work/module.nix" <<E2
{ settings }:
let
  lib = import $here/nixpkgs/lib.nix;
  pkgs = import $here/nixpkgs { system = "$system"; };
in
lib.evalModule (import $work/source/nixos-module.nix) pkgs settings
E2
module() { nix-instantiate --eval --strict --json "$work/module.nix" "$@"; }
module --arg settings "import $here/configuration.nix" >"$work/config.json"
read -r etc_domstrap etc_domgrub < <(echo "$work/domstrap.conf" "$work/domgrub.conf")
jq -r '.environment.etc."domstrap.conf".text' "$work/config.json" >"$etc_domstrap"
jq -r '.environment.etc."domgrub.conf".text' "$work/config.json" >"$etc_domgrub"
is "domstrap.conf" $'cache-dir = /var/cache/domstrap\ncaches = https://cache.example.org file:///srv/cache\njobs = 8' "$(sed '/^$/d' "$etc_domstrap")"
is "domgrub.conf" $'max-ramdisk = 1G\nquiet = yes' "$(sed '/^$/d' "$etc_domgrub")"
"$DOMSTRAP" cache --conf "$etc_domstrap" >"$work/said" || fail "domstrap reads its file"
truncate -s 1M disk
printf 'menuentry one {\nlinux /k\n}\n' >grub.cfg
"$domgrub" --config="$etc_domgrub" -l --isconfig grub.cfg | grep -q one || fail "domgrub reads its file"
is "programs for everybody" 1 "$(jq '.environment.systemPackages | length' "$work/config.json")"
is "and for the service that starts guests" 1 "$(jq '.systemd.services.xendomains.path | length' "$work/config.json")"
is "nothing where it is off" '{}' "$(module --arg settings '{ virtualisation.xen.enable = true; }')"
is "no service without Xen" '{}' "$(module --arg settings '{ virtualisation.xen.enable = false; programs.domstrap.enable = true; }' | jq -c .systemd.services)"
is "no file without settings" '{}' "$(module --arg settings '{ virtualisation.xen.enable = false; programs.domstrap.enable = true; }' | jq -c '.environment.etc."domgrub.conf"')"
! module --arg settings '{ programs.domstrap.enabled = true; }' >/dev/null 2>&1 || fail "an unknown option is taken"
! module --arg settings '{ programs.domstrap = { enable = true; settings.jobs = { }; }; }' >/dev/null 2>&1 || fail "a set is taken as a value"

# ---- the package ----

nix-instantiate -E "(import $here/nixpkgs { system = \"$system\"; }).callPackage $work/source/package.nix { }" \
  >"$work/drv" 2>"$work/err" || { cat "$work/err" >&2; fail "package.nix makes no derivation"; }
echo "ok: $(cat "$work/drv")"
