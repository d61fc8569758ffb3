# A stand-in for nixpkgs/nixos: gives `system` for a configuration. The system is a small one of test/create; the
# configuration sets some of its properties.
{ configuration ? <nixos-config> }:
let
  module = import configuration;
  config = if builtins.isFunction module then module { config = { }; lib = { }; pkgs = { }; } else module;
in
{
  system = import ../../../create/system.nix ({ kind = "small"; } // config.test or { });
}
