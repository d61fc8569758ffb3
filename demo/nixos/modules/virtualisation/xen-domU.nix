# The counterpart of nixpkgs's module of this name: what a guest of Xen needs.
{ ... }:
{
  boot.loader.grub.device = "nodev";
  boot.initrd.kernelModules =
    [ "xen-blkfront" "xen-tpmfront" "xen-kbdfront" "xen-fbfront" "xen-netfront" "xen-pcifront" "xen-scsifront" ];
}
