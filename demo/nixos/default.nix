# A stand-in for nixpkgs's nixos directory, for machines that cannot download NixOS. The same commands work:
#
#   nix-build demo/nixos -A system --arg configuration ./configuration.nix
#
# gives /nix/store/…-nixos-system-NAME-VERSION in NixOS's layout. What is in it is Debian's: the cloud kernel,
# systemd, busybox and Nix itself. Debian's packages must be there first: demo/nixos/fetch.sh gets them. kernelSuite
# names the suite of Debian that the kernel is of, such as trixie; "" is the host's. init is standIn.init of
# configurations that do not set it; "" is systemd.
{ configuration ? <nixos-config>
, system ? builtins.currentSystem
, kernelSuite ? builtins.getEnv "DOMSTRAP_KERNEL_SUITE"
, init ? builtins.getEnv "DOMSTRAP_DEMO_INIT"
, debs ? (
    let dir = builtins.getEnv "DOMSTRAP_WORK";
    in if dir == "" then ../../build/nixos else /. + dir + "/nixos"
  )
}:

assert if system == "x86_64-linux" then true else
  throw "demo/nixos: system is ${system}, but the Debian packages used here are for x86_64-linux only";

let
  lib = import ./lib.nix;
  pkgs = import ./pkgs { inherit lib debs kernelSuite; };
  eval = import ./eval.nix { inherit lib pkgs init; };
  result = eval false [ configuration ];
in
{
  inherit pkgs;
  inherit (result) config;
  system = result.config.system.build.toplevel;
}
