{
  description = "NixOS guests for Xen: disk images and xl configs, and a boot helper that reads the guest's own menu";

  inputs.nixpkgs.url = "nixpkgs";

  outputs =
    { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" ];
    in
    {
      packages = nixpkgs.lib.genAttrs systems (system: rec {
        domstrap = nixpkgs.legacyPackages.${system}.callPackage ./package.nix { };
        default = domstrap;
      });
      overlays.default = final: prev: { domstrap = final.callPackage ./package.nix { }; };
      nixosModules.domstrap = import ./nixos-module.nix;
      nixosModules.default = self.nixosModules.domstrap;
    };
}
