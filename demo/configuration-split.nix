# The demo's guest on two disks without partitions: /boot on the first, the root on the second. The menu that
# NixOS writes for it names no drive, so that Xen's pygrub can read it as well.
{ lib, ... }:
{
  imports = [ ./configuration.nix ];
  fileSystems."/" = { device = lib.mkForce "/dev/xvdb"; fsType = "ext4"; };
  fileSystems."/boot" = { device = "/dev/xvda"; fsType = "ext4"; };
  boot.loader.grub = {
    configurationLimit = 3;
    fsIdentifier = "provided";
    extraConfig = "set root=(hd0)";
  };
}
