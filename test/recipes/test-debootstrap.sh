#!/bin/bash
# test-debootstrap.sh DOMSTRAP DOMGRUB: the first recipe of doc/recipes.md (one disk, similar to debootstrap) from its first
# step to a login on real Xen, manually and with domstrap.
#
#   step  by hand                                       now
#   1     Nix on the host                               the same
#   2     a clone of nixpkgs                            --nixpkgs; this test uses the demo's modules for both
#   3     write system-configuration.nix                domstrap init --password-prompt, then edit
#   4     nix-build NIXPKGS/nixos -A system             domstrap build
#   5     truncate, sfdisk, losetup, mkfs.ext4, mount   domstrap create does 5 to 10
#   6     nix copy --to MNT
#   7     nix-env -p MNT/…/profiles/system --set
#   8     write /etc/nixos/configuration.nix, channel
#   9     umount, losetup -d
#   10    write domain.conf
#   11    xl create -c; log in                          the same, from the guest's own menu, through domgrub
#   12    a newer system in the guest                   see test-pygrub.sh
#
# Both roots are compared, then both guests are booted at the same time, each in its own Xen. Steps 5 to 10 by hand need
# root and loop devices; without them, only the right column is done. The console logs are kept in
# build/test-debootstrap/SUITE/. Exit status: 0 if no check failed, else 1.
. "$(dirname "$0")/lib.sh" "$@"
password='open sesame'

step "1, 2: Nix and nixpkgs"
hand nix-build --version
echo "nixpkgs: $nixpkgs"

step "3: a configuration"
block "The configuration of step 3" >system-configuration.nix
echo "hand: an editor: system-configuration.nix"
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYdlomt+p+ocbpH4VKk1qQm6EeKqYartd2C//rv8k51 me@desk' >key.pub
typed "$password" init web1 --user admin --ssh-key key.pub --time-zone Europe/Berlin --password-prompt
check "the password's hash is in the configuration, the password is not" \
  sh -c "grep -q 'hashedPassword = \"\\\$' web1/configuration.nix && ! grep -q '$password' web1/configuration.nix"
hand sed -i 's/pkgs.vim/& pkgs.less/' web1/configuration.nix

step "4: a system"
hand nix-build "$nixpkgs/nixos" -A system --arg configuration ./system-configuration.nix -Q "${settings[@]}" 2>nix.log ||
  { cat nix.log; exit 1; }
by=(--nixpkgs "$nixpkgs" "${settings[@]}")
system=$(now build --config system-configuration.nix -o now -q "${by[@]}" | tee /dev/stderr | tail -n 1) 2>&1
check "both build the same system" same "$system" "$(readlink result)"

if [ -n "$by_hand" ]; then
  step "5: a disk"
  hand truncate --size 10G nixos.img
  echo 'hand: sfdisk nixos.img <<< "label: dos ↵ start=2048, type=83"'
  printf 'label: dos\nstart=2048, type=83\n' | sfdisk -q nixos.img
  attached nixos.img 1M
  hand mkfs.ext4 -q -L NIXOS "$loop"
  mounted "$loop" "$dir/mnt"
  step "6: the closure"
  hand nix --extra-experimental-features nix-command copy --to "$dir/mnt" ./result --no-check-sigs "${settings[@]}" 2>nix.log ||
    { cat nix.log; exit 1; }
  step "7: the profile"
  hand nix-env -p "$dir/mnt/nix/var/nix/profiles/system" --set ./result --store "$dir/mnt" "${settings[@]}"
  step "8: what nixos-rebuild in the guest wants"
  hand mkdir -p mnt/etc/nixos mnt/root
  hand cp system-configuration.nix mnt/etc/nixos/configuration.nix
  echo "hand: an editor: mnt/root/.nix-channels"
  echo 'https://channels.nixos.org/nixos-23.05 nixos' >mnt/root/.nix-channels
  step "9: let go"
  listing mnt >hand.list
  store mnt >hand.store
  database mnt >hand.db
  released
  step "10: a configuration for xl"
  # Less memory than in the recipe, because the machine is emulated.
  block "The config of step 10" |
    sed "s,\"S/,\"$(readlink result)/,; s,=S/,=$(readlink result)/,; s,/srv/xen,$dir,; s/^memory = .*/memory = 512/" >domain.conf
  echo "hand: an editor: domain.conf"

  step "5 to 10: the same system with domstrap"
  now create same --system ./result --configuration system-configuration.nix --boot direct --size 10G -q
  attached same.img 1M
  mounted "$loop" "$dir/same" ro,noload
  listing same >same.list
  store same >same.store
  database same >same.db
  released
  check "same table" same "$(sfdisk -d same.img | grep -o 'start=.*' | tr -d ' ')" "$(sfdisk -d nixos.img | grep -o 'start=.*' | tr -d ' ')"
  check "same files in the store: names, modes, owners, times, contents" diff hand.store same.store
  check "same entries in Nix's database" diff hand.db same.db
  # Domstrap's root has everything that the manual one has, with two exceptions. Nix creates its locks and some directories
  # at its first run. And the manual way leaves faults that must not appear: the store has the mode and group for the host's
  # builders, root's home is readable by all, and two links among the GC roots lead to the host's mount point.
  own='nix/var/nix/(db/big-lock|db/reserved|gc.lock|temproots|userpool|profiles/system.lock|gcroots/per-user/root) '
  faults='(nix/store d (1775|755) 0:[0-9]+|root d 755 0:0) |nix/var/nix/gcroots/(auto/.*|profiles) l .*/mnt/nix/var'
  check "nothing else that the one by hand has is missing" \
    sh -c "! grep -Ev '^($own|$faults)' hand.list | grep -Fvxf same.list"
  check "the store belongs to NixOS's builders, root's home to root, and the roots lead to the guest's profiles" \
    same "$(grep -cx -e 'nix/store d 1775 0:30000 ' -e 'root d 700 0:0 ' -e 'nix/var/nix/gcroots/profiles l 777 0:0 /nix/var/nix/profiles' same.list)" 3
  check "the kernel beside the image is the system's" cmp same.kernel result/kernel
  rm same.img
else
  step "5 to 10 by hand: skipped, for want of root or of loop devices"
fi

step "5 to 10: the guest with domstrap"
now create web1 --config web1/configuration.nix "${by[@]}" --memory 256 -q
check "the image is a file system without fault" e2fsck -fn "web1.img?offset=1048576"
check "the password is nowhere in the system" sh -c "! grep -rqF '$password' \$(nix-store -qR ./web1.system)"

step "11: xl create -c, and a login on the console"
check "domstrap check has nothing against it" "$domstrap" check --system ./web1.system
{
  echo "$guest_functions"
  cat <<'X'
check "it is the user, in group wheel" has "$(id)" "(wheel)"
check "the home is the user's" sh -c 'echo new >~/new && [ $(stat -c %U ~/new) = '"$(id -un)"' ]'
check "what was booted is generation 1" same "$(readlink -f /nix/var/nix/profiles/system-1-link)" "$(readlink -f /run/booted-system)"
i=0
until ip addr show enX0 | grep -q 'inet 10\.9\.0\.' || [ $i = 20 ]; do i=$((i+1)); sleep 1; done
check "DHCP gave enX0 an address" has "$(ip addr show enX0)" "inet 10.9.0."
X
} >common
mkdir guest-{hand,now}
{
  cat common
  echo "check \"the host's name\" same \"\$(hostname)\" nixos-guest"
  echo "check \"/etc/nixos/configuration.nix\" same \"\$(sha256sum </etc/nixos/configuration.nix)\" \"$(sha256sum <system-configuration.nix)\""
} >guest-hand/guest-script
{
  cat common
  cat <<X
check "the host's name" same "\$(hostname)" web1
check "the time zone" has "\$(date +%Z)" CE
check "the SSH key" same "\$(cat /etc/ssh/authorized_keys.d/admin)" "$(cat key.pub)"
check "/etc/nixos/configuration.nix" same "\$(sha256sum </etc/nixos/configuration.nix)" "$(sha256sum <web1/configuration.nix)"
check "it was booted by its own menu" has "\$(cat /proc/cmdline)" "init=$(readlink -f web1.system)/init"
X
} >guest-now/guest-script

boot() { # boot hand|now PASSWORD
  machine "$1" -W -b "$domgrub" -t 1000 -c "${cfg[$1]}" -e USER=admin -e PASSWORD="$2" -f "guest-$1/guest-script" boot
}
kinds=(now)
declare -A cfg=([now]=web1.cfg [hand]=domain.conf)
boot now "$password"
if [ -n "$by_hand" ]; then
  kinds+=(hand)
  boot hand "change me"
fi
for kind in "${kinds[@]}"; do
  before=$failed
  machine_end
  machine_said "$kind" "login prompt" "logged in as admin" "xl shutdown"
  answers "$kind" "guest-$kind/guest-script"
  check "$kind: domstrap verify, when the guest is off" "$domstrap" verify "${cfg[$kind]}"
  outcome "$kind" "$before"
done
finish
