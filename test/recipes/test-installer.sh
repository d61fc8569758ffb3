#!/bin/bash
# test-installer.sh DOMSTRAP DOMGRUB: the second recipe of doc/recipes.md from its first step to its last, on real Xen. It
# takes several minutes and is skipped unless TEST_HVM is set.
#
#   step  in the recipe                                 in this test
#   1     two volumes, the HVM domain's config          two files; the config written by domstrap installer
#   2     in it mkfs.ext4 -L NIXBOOT, -L NIXROOT, mount typed on the domain's serial console
#   3, 4  write the configuration                       likewise, with the lines of the recipe
#   5     nixos-install; poweroff                       likewise
#   6     the PV domain's config, bootloader = pygrub   written by domstrap installer, with pygrub and with domgrub
#
# The CD is made from the demo's system (demo/nixos/iso.sh), and installs to two empty files. The console log is kept in
# build/test-installer/SUITE/install.log. Exit status: 0 if no check failed, else 1.
[ -n "${TEST_HVM:-}" ] || { echo "skipped: takes several minutes; set TEST_HVM=1 to run it" >&2; exit 77; }
. "$(dirname "$0")/lib.sh" "$@"
"$repo/scripts/install-deps.sh" iso
"$xen/build-hvm.sh"
password='open sesame'

step "3, 4: the configuration, and a CD to install it from"
{
  echo '{ ... }: {'
  block "Steps 3 and 4"
  cat <<X
  networking.hostName = "web3";
  users.users.root.initialPassword = "$password";
  system.stateVersion = "23.05";
}
X
} >configuration.nix
system=$(demo configuration.nix)
"$repo/demo/nixos/iso.sh" "$system" nixos.iso

step "1: two volumes, and both configs"
hand truncate -s 500M web3-boot.disk
hand truncate -s 5G web3-root.disk
for boot in domgrub pygrub; do
  mkdir "$boot"
  now installer web3 --iso nixos.iso --boot-disk web3-boot.disk --root-disk web3-root.disk --memory 256 --boot "$boot" -o "$boot" -q
  cp "$boot/web3.cfg" "$boot.cfg"
done
check "the domain to install with is the same for both" diff <(grep -v ^# domgrub/web3-install.cfg) <(grep -v ^# pygrub/web3-install.cfg)

# Input for the installer's console, in the form that jobs/install describes.
{
  cat <<'X'
mkfs.ext4 -q -L NIXBOOT /dev/xvda
mkfs.ext4 -q -L NIXROOT /dev/xvdb
mount LABEL=NIXROOT /mnt
mkdir /mnt/boot
mount LABEL=NIXBOOT /mnt/boot
nixos-generate-config --root /mnt
cat /mnt/etc/nixos/hardware-configuration.nix
cat >/mnt/etc/nixos/configuration.nix
X
  sed 's/^/|/' configuration.nix
  cat <<'X'
|^D
nixos-install --no-root-passwd --system $(readlink /iso/system)
umount /mnt/boot /mnt
poweroff
X
} >typed
{
  echo "$guest_functions"
  cat <<X
check "what was installed was booted" same "\$(readlink -f /run/booted-system)" "$system"
check "it is generation 1" same "\$(readlink -f /nix/var/nix/profiles/system-1-link)" "$system"
check "by the menu's line" has "\$(cat /proc/cmdline)" "init=$system/init"
check "the name" same "\$(hostname)" web3
check "/boot is the first disk" has "\$(df -P /boot)" "/dev/xvda "
check "the configuration is what was typed" same "\$(sha256sum </etc/nixos/configuration.nix)" "$(sha256sum <configuration.nix)"
check "Nix knows each path" nix-store --verify
check "the kernel found no fault with ext4" ext4
X
} >guest-script

step "1 to 6: xl create -c, install, poweroff; xl create -c with each boot helper"
machine install -H -p -W -t 3000 -e STEP_LIMIT=1500 -e LIMIT=600 -b "$domgrub" -c domgrub/web3-install.cfg -f domgrub.cfg -f pygrub.cfg -f typed -f guest-script \
  -e THEN="domgrub pygrub" -e USER=root -e PASSWORD="$password" install
machine_end
machine_said install installed "domgrub: login prompt" "domgrub: xl shutdown" "pygrub: login prompt" "pygrub: xl shutdown"
cat guest-script guest-script >asked # once for each boot
answers install asked
check "the installer saw the CD, and both disks through Xen's own driver" \
  grep -q 'availableKernelModules = \[ "ata_piix" "sr_mod" "xen_blkfront" \]' "$logs/install.log"
for disk in boot root; do check "e2fsck of the $disk disk" e2fsck -fn "web3-$disk.disk"; done
check "the labels" same "$(blkid -p -s LABEL -o value web3-boot.disk web3-root.disk | tr '\n' ' ')" "NIXBOOT NIXROOT "
check "domstrap generations sees generation 1" same \
  "$("$domstrap" generations domgrub.cfg --json | jq -c '[.generations[] | .generation]')" "[1]"
check "domstrap verify" "$domstrap" verify domgrub.cfg
outcome install 0
finish
