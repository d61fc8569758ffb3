# The demo's guest, in NixOS's own terms: the same file builds a real NixOS where nixpkgs is.
{ pkgs, modulesPath, ... }:
{
  imports = [ (modulesPath + "/virtualisation/xen-domU.nix") ];

  fileSystems."/" = { device = "/dev/disk/by-label/NIXOS"; fsType = "ext4"; };
  boot.kernelParams = [ "console=hvc0" ];

  networking.hostName = "demo";
  time.timeZone = "Europe/Berlin";

  # For a demo only: these passwords are in the store, which everybody can read.
  users.users.root.initialPassword = "nixos";
  users.users.guest = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    initialPassword = "guest";
  };

  environment.systemPackages = [ pkgs.vim ];
  system.stateVersion = "23.05";
}
