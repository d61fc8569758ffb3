#!/bin/bash
# test-nixos.sh DOMSTRAP DOMGRUB [VARIANT...]: guests in the forms of NixOS, on Xen, through domgrub and their own menus.
# VARIANT is one or more of
#   systemd    systemd in stage 1 and as PID 1: the root grows with its disk, SSH logs in over the bridge (the default)
#   update     the same; then an update from inside, a reboot into it, and back to the older system
#   scripted   stage 1 is the script of NixOS before 26.05
#   overlay    /etc is an overlay
#   shared     name, machine ID and address are not in the system, but from the options of create
# The console logs are kept in build/test-nixos/SUITE/. One line for each check, "N passed, N failed" last. Exit status: 0 if
# none failed, else 1.
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || usage "DOMSTRAP DOMGRUB [VARIANT...]"
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
shift 2
variants=("$@")
[ $# -gt 0 ] || variants=(systemd)
ready demo xen
command -v ssh-keygen >/dev/null || die "ssh-keygen is not installed: apt-get install openssh-client"

ssh-keygen -q -t ed25519 -N '' -C me -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -C host -f "$dir/host"
echo "10.9.0.50 $(cut -d' ' -f1,2 "$dir/host.pub")" >"$dir/known_hosts"
declare -A lines=(
  [systemd]='' [update]=''
  [scripted]='boot.initrd.systemd.enable = false;'
  [overlay]='system.etc.overlay.enable = true;'
  [shared]='networking.hostName = lib.mkForce "";'
)
card='systemd.network.networks."10-xen" = { matchConfig.Driver = "vif"; address = [ "10.9.0.50/24" ]; };'
machine_id=0123456789abcdef0123456789abcdef

# configuration VARIANT: print all of it except the closing brace
configuration() {
  cat <<X
{ pkgs, lib, ... }: {
  imports = [ $repo/demo/configuration.nix ];
  fileSystems."/" = { device = lib.mkForce "/dev/xvda1"; autoResize = true; };
  standIn.init = "systemd";
  boot.growPartition = true;
  boot.kernelParams = [ "panic=30" ];
  boot.loader.timeout = 1;
  boot.bootspec.extensions."org.example.more" = { a = [ 1 "}" ]; };
  networking.useDHCP = false;
  networking.useNetworkd = true;
  $([ "$1" = shared ] || echo "$card")
  users.users.guest.openssh.authorizedKeys.keys = [ "$(cat "$dir/key.pub")" ];
  services.openssh = { enable = true; settings.PasswordAuthentication = false; };
  systemd.services.greet = { wantedBy = [ "multi-user.target" ]; script = "echo hello >/run/greeting"; serviceConfig = { Type = "oneshot"; RemainAfterExit = true; }; };
  ${lines[$1]}
X
}
common() { # common SYSTEM
  cat <<X
$guest_functions
check "$1 is what was booted" same "\$(readlink -f /run/booted-system)" "$1"
check "its init by the menu" has "\$(cat /proc/cmdline)" "init=$1/init"
check "boot.json has the configuration's extension" has "\$(cat $1/boot.json)" '"org.example.more":{"a":[1,"}"]}'
check "PID 1 is systemd" same "\$(cat /proc/1/comm)" systemd
check "no unit failed" same "\$(systemctl --failed --plain --no-legend)" ""
check "the kernel found no fault with ext4" ext4
X
}
prepare() { # prepare VARIANT: make the guest and its scripts
  local v=$1 old new d=$dir/$1 own=()
  mkdir "$d"
  configuration "$v" >"$d/old.nix"
  if [ "$v" = update ]; then
    { configuration "$v"; echo '  environment.etc.update.text = "the newer system"; }'; } >"$d/new.nix"
    new=$(demo "$d/new.nix" "$v-new")
    # The guest cannot fetch its update without a network, so it is part of the old system.
    echo "  environment.etc.next.source = builtins.storePath \"$new\";" >>"$d/old.nix"
  fi
  echo "}" >>"$d/old.nix"
  old=$(demo "$d/old.nix" "$v-old")
  [ "$v" != shared ] || own=(--hostname web-7 --machine-id "$machine_id" --ip 10.9.0.50/24 --gateway 10.9.0.1 --dns 10.9.0.1)
  "$domstrap" create "$v" -q -o "$d" --system "$old" --memory 384 --ssh-host-key "$dir/host" --authorized-key "$dir/key.pub" "${own[@]}"
  truncate -s +300M "$d/$v.img"
  {
    common "$old"
    cat <<X
check "the root has grown with its disk" sh -c '[ \$(df -Pk / | awk "END { print \\\$2 }") -gt $(($(stat -c %s "$d/$v.img") / 1024 - 100000)) ]'
check "the service of the configuration ran" same "\$(cat /run/greeting)" hello
check "the login prompt is systemd's" systemctl -q is-active serial-getty@hvc0.service
check "the host's key is the one given" same "\$(cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub)" "$(cut -d' ' -f2 "$dir/host.pub")"
check "a user other than root has Nix by its daemon" su guest -c 'nix-store --store daemon -q --references $old >/dev/null'
check "the store is mounted read-only" sh -c 'grep -q " /nix/store [^ ]* ro," /proc/mounts'
check "the guest's Nix verifies every path of its store" nix-store --verify --check-contents
check "nothing in the store is dead" same "\$(nix-store --gc --print-dead 2>/dev/null)" ""
X
    case $v in
      scripted) echo 'check "stage 1 was the script" same "$(systemctl show -p InitRDTimestampMonotonic --value)" 0' ;;
      *) echo 'check "stage 1 was systemd" test "$(systemctl show -p InitRDTimestampMonotonic --value)" -gt 0' ;;
    esac
    case $v in
      overlay) echo 'check "/etc is an overlay" same "$(awk "\$2 == \"/etc\" { print \$3 }" /proc/mounts)" overlay' ;;
      *) echo 'check "/etc is links to the configuration'"'"'s" same "$(readlink /etc/fstab) $(readlink -f /etc/static)" "/etc/static/fstab $(readlink -f /run/current-system/etc)"' ;;
    esac
    [ "$v" != shared ] || cat <<X
check "its own name" same "\$(hostname)" web-7
check "its own machine ID" same "\$(cat /etc/machine-id)" $machine_id
check "its own default route" has "\$(ip route show default)" "via 10.9.0.1"
check "its network is that file's" has "\$(cat /run/systemd/netif/links/*)" NETWORK_FILE=/etc/systemd/network/05-domstrap.network
X
    [ "$v" != update ] || cat <<X
check "nix-env --set" nix-env -p /nix/var/nix/profiles/system --set $new
check "switch-to-configuration boot" $new/bin/switch-to-configuration boot
check "the older system still runs" same "\$(readlink -f /run/current-system)" "$old"
X
  } >"$d/first-script"
  more=()
  if [ "$v" = update ]; then
    {
      common "$new"
      cat <<X
check "its configuration" same "\$(cat /etc/update)" "the newer system"
check "back to the older" nix-env -p /nix/var/nix/profiles/system --rollback
check "and its menu" /nix/var/nix/profiles/system/bin/switch-to-configuration boot
X
    } >"$d/second-script"
    {
      common "$old"
      echo 'check "nothing is left of the newer" sh -c "[ ! -e /etc/update ]"'
    } >"$d/third-script"
    more=(-f "$d/second-script" -f "$d/third-script")
  fi
}

for v in "${variants[@]}"; do
  prepare "$v"
  say "booting $v (2 to 5 minutes)"
  machine "$v" -W -b "$domgrub" -x "$(command -v ssh)" -c "$dir/$v/$v.cfg" -t 3000 -e PASSWORD=nixos -f "$dir/key" \
    -f "$dir/known_hosts" -e SSH="root 10.9.0.50
guest 10.9.0.50" -f "$dir/$v/first-script" "${more[@]}" nixos
  before=$failed
  machine_end
  machine_said "$v" "first-script" "ssh as root" "ssh as guest" "xl shutdown"
  cat "$dir/$v"/*-script >"$dir/$v/all"
  answers "$v" "$dir/$v/all"
  check "$v: e2fsck finds nothing" e2fsck -fn "$dir/$v/$v.img?offset=1048576"
  check "$v: domstrap verify" "$domstrap" verify "$dir/$v/$v.cfg"
  outcome "$v" "$before"
done
finish
