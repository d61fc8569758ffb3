# The demo's guest with /boot on a disk of its own, as for `domstrap create --layout split`; NixOS's own terms.
{ lib, ... }:
{
  imports = [ ./configuration.nix ];

  fileSystems."/".device = lib.mkForce "/dev/xvdb";
  fileSystems."/boot" = { device = "/dev/xvda"; fsType = "ext4"; };

  # What a boot helper can read even where it is Xen's pygrub.
  boot.loader.grub = {
    enable = true;
    device = "nodev";
    configurationLimit = 3;
    fsIdentifier = "provided";
  };
}
