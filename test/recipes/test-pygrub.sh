#!/bin/bash
# test-pygrub.sh DOMSTRAP DOMGRUB: the second recipe of doc/recipes.md (/boot and root on separate disks, and a boot menu
# maintained by the guest) from its first step, manually and with domstrap.
#
#   step  by hand                                       now
#   1     two volumes, the HVM domain's config          domstrap installer
#   2     in it mkfs.ext4 -L NIXBOOT, -L NIXROOT, mount domstrap init --layout split --boot pygrub and
#   3, 4  write the configuration                         domstrap create --layout split do 1 to 6
#   5     nixos-install
#   6     the PV domain's config, bootloader = pygrub   written by domstrap installer
#   7     nixos-rebuild in the guest                    the same
#
# Steps 2 to 5 need NixOS's CD; in this test they are done on the host, on the disks made by domstrap installer, which
# needs root and loop devices (else only the right column is done). nixos-install and nixos-rebuild are replaced by the
# steps they perform: nix copy, nix-env --set, activate, switch-to-configuration.
#
# Both guests do the same at the same time, each in its own Xen, the manual one through Debian's pygrub, the other through
# domgrub: login, update from inside to a system with another kernel and initrd, reboot into it, and back to the older one,
# which is selected in the menu on the console. The console logs are kept in build/test-pygrub/SUITE/. Exit status: 0 if no
# check failed, else 1.
. "$(dirname "$0")/lib.sh" "$@"
password='open sesame'
by=(--nixpkgs "$nixpkgs" "${settings[@]}")
menu() { debugfs -R 'cat /grub/grub.cfg' "$1" 2>/dev/null; }

# newer FILE: a configuration that differs from FILE in kernel and initrd
newer() {
  cat <<X
{ pkgs, ... }: {
  imports = [ $1 ];
  environment.etc."update".text = "the newer system\n";
  boot.kernelPackages.kernel = pkgs.runCommand "linux-newer" { inherit (pkgs) linux; }
    ''mkdir \$out; cp \$linux/bzImage \$out; ln -s \$linux/lib \$out/lib'' // { inherit (pkgs.linux) version; };
  boot.initrd.availableKernelModules = [ "lz4" ];
}
X
}
# carried OLD NEW FILE: make a disk with the paths of NEW that OLD lacks, because the guest has no network
carried() {
  nix-store -qR "$2" | grep -Fvxf <(nix-store -qR "$1") | xargs nix-store --export >"$3"
  truncate -s %1M "$3"
}

if [ -n "$by_hand" ]; then
  step "1: disks, and a domain to install from"
  python3 "$repo/test/build/iso.py" nixos.iso
  now installer hand --iso nixos.iso --boot pygrub -m 256
  check "the domain boots the CD" grep -q '^boot = "dc"' hand-install.cfg
  step "2: file systems"
  hand mkfs.ext4 -q -L NIXBOOT hand-boot.img
  hand mkfs.ext4 -q -L NIXROOT hand-root.img
  attached hand-root.img
  mounted "$loop" "$dir/mnt"
  attached hand-boot.img
  mounted "$loop" "$dir/mnt/boot"
  step "3, 4: the configuration"
  mkdir hand
  {
    echo '{ ... }: {'
    block "Steps 3 and 4"
    cat <<X
  networking.hostName = "web2";
  users.users.root.initialPassword = "$password";
  users.users.admin = { isNormalUser = true; extraGroups = [ "wheel" ]; initialPassword = "$password"; };
  system.stateVersion = "23.05";
}
X
  } >hand/configuration.nix
  echo "hand: an editor: configuration.nix"
  step "5: nixos-install, by what it does"
  hand nix-build "$nixpkgs/nixos" -A system --arg configuration ./hand/configuration.nix -o hand.system -Q "${settings[@]}" 2>nix.log ||
    { cat nix.log; exit 1; }
  hand nix --extra-experimental-features nix-command copy --to "$dir/mnt" ./hand.system --no-check-sigs "${settings[@]}" 2>nix.log ||
    { cat nix.log; exit 1; }
  hand nix-env -p "$dir/mnt/nix/var/nix/profiles/system" --set ./hand.system --store "$dir/mnt" "${settings[@]}"
  mkdir -p mnt/{etc/nixos,proc,dev,run}
  cp hand/configuration.nix mnt/etc/nixos/
  touch mnt/etc/NIXOS
  hand unshare --mount --uts bash -ec 'mount -t proc proc mnt/proc; mount --rbind /dev mnt/dev; mount -t tmpfs run mnt/run
    chroot mnt /nix/var/nix/profiles/system/activate
    chroot mnt /nix/var/nix/profiles/system/bin/switch-to-configuration boot'
  (cd mnt/boot && find grub/grub.cfg kernels -type f -exec sha256sum {} + | grep -v grub.cfg | sort) >hand.kernels
  cp mnt/boot/grub/grub.cfg hand.menu
  released

  step "1 to 6: the same system with domstrap"
  now create same --system ./hand.system --layout split --boot pygrub -m 256 -q
  # Except for comments, the date of installation, and a line from the configuration, which create cannot know. That line
  # has no effect, because GRUB's root is the first disk by default.
  plain() { grep -Ev '^(#|$|set root=\(hd0\)$)' | sed -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2} - /DATE - /'; }
  check "same menu" diff <(plain <hand.menu) <(menu same-boot.img | plain)
  sed 's/.*  //' hand.kernels | while read -r f; do echo "$(debugfs -R "cat /$f" same-boot.img 2>/dev/null | sha256sum | cut -d' ' -f1)  $f"; done >same.kernels
  check "same kernel and initrd on the boot disk" diff hand.kernels same.kernels
  check "same labels" same "$(blkid -p -s LABEL -o value hand-boot.img hand-root.img)" "$(blkid -p -s LABEL -o value same-boot.img same-root.img)"
  # Names, UUIDs and MACs differ. So does extra=, because only create knows that this system sets no console.
  config() { grep -Ev '^ *(#|name|uuid|"mac=|extra = ".*"$)|^$' "$1" | sed -E 's,target=.*/(hand|same)-,target=,'; }
  check "create and installer write one config" diff <(config same.cfg) <(config hand.cfg)
  rm same*
else
  step "1 to 6 by hand: skipped, for want of root or of loop devices"
fi

step "1 to 6: the guest with domstrap"
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYdlomt+p+ocbpH4VKk1qQm6EeKqYartd2C//rv8k51 me@desk' >key.pub
typed "$password" init web2 --layout split --boot pygrub --user admin --ssh-key key.pub --password-prompt \
  --ip 10.9.0.77/24 --gateway 10.9.0.1 --dns 10.9.0.1
# The demo's modules have no sudo; the test uses su with root's password.
hand sed -i '/^  services.openssh/i \  users.users.root.initialPassword = "open sesame";' web2/configuration.nix
now create web2 --config web2/configuration.nix --layout split "${by[@]}" --memory 256 -q
check "the menu searches for nothing, so that pygrub could read it as well" sh -c "! debugfs -R 'cat /grub/grub.cfg' web2-boot.img 2>/dev/null | grep search"

step "7: a newer system"
newer ./configuration.nix >web2/newer.nix
now build --config web2/newer.nix -o web2.newer -q "${by[@]}"
carried ./web2.system ./web2.newer web2.disk
if [ -n "$by_hand" ]; then
  newer ./configuration.nix >hand/newer.nix
  hand nix-build "$nixpkgs/nixos" -A system --arg configuration ./hand/newer.nix -o hand.newer -Q "${settings[@]}" 2>nix.log ||
    { cat nix.log; exit 1; }
  carried ./hand.system ./hand.newer hand.disk
fi

# The scripts that run in the guest.
scripts() { # scripts DIR OLD NEW
  mkdir "$1"
  cat >"$1/common" <<X
$guest_functions
OLD=$2
NEW=$3
X
  cat "$1/common" - >"$1/user-script" <<'X'
check "it is the user, in group wheel" has "$(id)" "(wheel)"
check "the home is the user's" sh -c 'echo kept >~/file && [ $(stat -c %U ~/file) = admin ]'
check "what was booted is generation 1" same "$(readlink -f /nix/var/nix/profiles/system-1-link)" "$(readlink -f /run/booted-system)"
check "/boot is the first disk" has "$(df -P /boot)" "/dev/xvda "
X
  cat "$1/common" - >"$1/update-script" <<'X'
check "the newer system comes into the store" sh -c 'nix-store --import </dev/xvdc >/dev/null'
check "nix-env --set" nix-env -p /nix/var/nix/profiles/system --set $NEW
check "switch-to-configuration switch" $NEW/bin/switch-to-configuration switch
check "the profile is at generation 2" same "$(readlink /nix/var/nix/profiles/system)" system-2-link
check "the newer system is active" same "$(readlink -f /run/current-system) $(cat /etc/update)" "$NEW the newer system"
check "the older one is what was booted" same "$(readlink -f /run/booted-system)" "$OLD"
check "the menu has both, the newer first" same "$(grep -o 'init=[^ ]*' /boot/grub/grub.cfg | tr '\n' ' ')" "init=$NEW/init init=$NEW/init init=$OLD/init "
check "two kernels and two initrds are on the boot disk" same "$(ls /boot/kernels | wc -l)" 4
X
  cat "$1/common" - >"$1/updated-script" <<'X'
check "the newer system was booted" same "$(readlink -f /run/booted-system)" "$NEW"
check "by the menu's line" has "$(cat /proc/cmdline)" "init=$NEW/init"
check "the user's file is there" same "$(cat /home/admin/file)" kept
X
  cat "$1/common" - >"$1/older-script" <<'X'
check "the older system was booted" same "$(readlink -f /run/booted-system)" "$OLD"
check "its configuration is active" sh -c '[ ! -e /etc/update ]'
check "the newer one is still the default" same "$(readlink /nix/var/nix/profiles/system)" system-2-link
check "the kernel found no fault with ext4" ext4
X
}
live() { # live hand|web2 RIG-OPTION...
  local x files=()
  sed -i "s,^ *\"format=raw\,vdev=xvdb.*,&\n    \"format=raw\,vdev=xvdc\,access=ro\,target=$dir/$1.disk\"," "$1.cfg"
  sed -i "s,\(vdev=xvdb[^\"]*\"\)$,\1\,," "$1.cfg"
  for x in user update updated older; do files+=(-f "guest-$1/$x-script"); done
  machine "$1" -W -t 1000 -c "$1.cfg" -e USER=admin -e PASSWORD="$password" -e ROOT_PASSWORD="$password" \
    "${files[@]}" -f "guest-$1/choice" "${@:2}" update
}

step "6, 7: xl create -c, login, update, reboot, and the older one from the menu"
kinds=(web2)
scripts guest-web2 "$(readlink web2.system)" "$(readlink web2.newer)"
cat >>guest-web2/user-script <<'X'
check "the fixed address, the way out and the name server" same "$(ip -4 addr show enX0 | grep -o 'inet [^ ]*') $(ip route | grep -o '^default via [^ ]*') $(cat /etc/resolv.conf)" "inet 10.9.0.77/24 default via 10.9.0.1 nameserver 10.9.0.1"
X
# Down to the submenu, open it, down to its second entry.
printf '%s\n' 'Boots in|\033[B\r' 'Configuration 1|\033[B\r' >guest-web2/choice
live web2 -b "$domgrub" -e MENU="Boots in"
if [ -n "$by_hand" ]; then
  kinds+=(hand)
  scripts guest-hand "$(readlink hand.system)" "$(readlink hand.newer)"
  # pygrub shows all entries in one list; the older system is the third.
  printf '%s\n' 'Will boot|\033OB\033OB\r' >guest-hand/choice
  live hand -p -e MENU="Will boot"
fi
for kind in "${kinds[@]}"; do
  before=$failed
  machine_end
  for script in user update updated older; do cat "guest-$kind/$script-script"; done >"guest-$kind/all"
  answers "$kind" "guest-$kind/all"
  machine_said "$kind" "chosen in the menu"
  for disk in boot root; do check "$kind: e2fsck of the $disk disk" e2fsck -fn "$kind-$disk.img"; done
  check "$kind: domstrap generations sees two generations" same \
    "$("$domstrap" generations "$kind.cfg" --json | jq -r '[.generations[] | .generation | tostring] | join(" ")')" "1 2"
  check "$kind: domstrap verify" "$domstrap" verify "$kind.cfg"
  outcome "$kind" "$before"
done
finish
