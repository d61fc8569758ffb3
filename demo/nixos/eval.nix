# eval NESTED [ MODULE… ]: a configuration with all its values, config.system.build.toplevel among them.
# NESTED: this is a specialisation, which has none of its own.
{ lib, pkgs, init }:
let
  options = import ./options.nix { inherit lib init; };
  eval = nested: modules:
    let
      args = { inherit lib pkgs config; options = { }; modulesPath = toString ./modules; };
      defs = lib.concatMap (lib.load args) ([ ./modules/base.nix ] ++ modules);
      config = lib.merge options [ ] (defs ++ [ built ]);
      unknown = lib.unique (lib.unknowns options [ ] defs);
      toplevel = import ./system {
        inherit lib pkgs config;
        specialise = inherited: own: (eval true ((if inherited then modules else [ ]) ++ [ own ])).config.system.build.toplevel;
        inherit nested;
      };
      warnings = lib.optionals (!nested) (config.warnings
        ++ map (name: "demo/nixos has no option '${name}': accepted, without effect here") unknown);
      built.system.build.toplevel = lib.foldl' (value: text: lib.warn text value) toplevel warnings;
    in
    { inherit config; };
in
eval
