# eval [ MODULE… ]: a configuration with all its values, config.system.build.toplevel among them.
{ lib, pkgs }:
let
  options = import ./options.nix { inherit lib; };
  eval = modules:
    let
      args = { inherit lib pkgs config; options = { }; modulesPath = toString ./modules; };
      defs = lib.concatMap (lib.load args) ([ ./modules/base.nix ] ++ modules);
      config = lib.merge options [ ] (defs ++ [ built ]);
      unknown = lib.unique (lib.unknowns options [ ] defs);
      toplevel = import ./system { inherit lib pkgs config eval modules; };
      warnings = config.warnings
        ++ map (name: "demo/nixos has no option '${name}': accepted, without effect here") unknown;
      built.system.build.toplevel = lib.foldl' (value: text: lib.warn text value) toplevel warnings;
    in
    { inherit config; };
in
eval
