#!/bin/bash
# test-restart.sh DOMSTRAP DOMGRUB [full] [pv | pvh]: domstrap restart on a real Xen, of one guest (PV by default) many times: a generation
# that comes up and is confirmed; others with a kernel that panics, without an init, with one that hangs, with a systemd that
# does, which Xen's watchdog ends, and with a health command that fails, after which the old one runs; one that confirms
# itself; ^C and kill -9; a second restart. test/update/test-restart.sh has more cases, without Xen.
. "$(dirname "$0")/lib.sh"
[ $# -ge 2 ] || usage "DOMSTRAP DOMGRUB [full] [pv | pvh]"
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2") full='' type=pv
for word in "${@:3}"; do
  case $word in
  full) full=full ;;
  pv | pvh) type=$word ;;
  *) usage "DOMSTRAP DOMGRUB [full] [pv | pvh]" ;;
  esac
done

ready demo xen
cp "$repo/demo/configuration.nix" "$dir/old.nix"
sed 's/hostName = "demo"/hostName = "renewed"/' "$dir/old.nix" >"$dir/new.nix"
# Without the program of an initrd, and without root=, the kernel cannot go on.
sed 's/"console=hvc0"/"console=hvc0" "rdinit=\/none"/' "$dir/old.nix" >"$dir/panic.nix"
old=$(demo "$dir/old.nix" old) new=$(demo "$dir/new.nix" new) panic=$(demo "$dir/panic.nix" panic)
# With systemd and a unit like that of share/domstrap/guest.nix, which needs programs that the demo does not have
cat >"$dir/self.nix" <<X
{ pkgs, lib, ... }: {
  imports = [ $dir/old.nix ];
  networking.hostName = lib.mkForce "itself";
  networking.useDHCP = false;
  standIn.init = "systemd";
  systemd.services.domstrap-confirm = {
    wantedBy = [ "multi-user.target" ];
    after = [ "multi-user.target" ];
    path = [ pkgs.nix ];
    environment.HOME = "/root";
    serviceConfig = { Type = "oneshot"; StandardOutput = "journal+console"; };
    script = ''
      tried=\$(readlink -f /run/booted-system)
      nix-env --profile /nix/var/nix/profiles/system --set "\$tried"
      "\$tried/bin/switch-to-configuration" boot
      echo "confirmed: \$tried boots by default"
    '';
  };
}
X
self=$(demo "$dir/self.nix" self)
# The same with Xen's watchdog, as guest.nix arms it, and a systemd that stops once it has started everything
cat >"$dir/freeze.nix" <<X
{ pkgs, lib, ... }: {
  imports = [ $dir/self.nix ];
  boot.kernelModules = [ "xen_wdt" ];
  environment.etc."systemd/system.conf.d/50-domstrap-watchdog.conf".text = "[Manager]\nRuntimeWatchdogSec=20\n";
  systemd.services.domstrap-confirm.script = lib.mkForce ''
    while [ "\$(cat /sys/class/watchdog/watchdog0/state)" != active ]; do sleep 1; done
    echo "the watchdog is active"
    kill -SEGV 1
  '';
}
X
freeze=$(demo "$dir/freeze.nix" freeze)
nix_settings
# like NAME INIT: the system $new with another init
like() {
  cat >"$dir/$1.nix" <<X
import $repo/test/create/build.nix "nixos-system-$1-26.05" ''
  cp -R \$new \$out; chmod -R u+w \$out; printf '$2' >\$out/init
  sed -i "s|\$new|\$out|g" \$out/boot.json
'' { new = builtins.storePath "$new"; }
X
  nix-build "$dir/$1.nix" -o "$logs/$1" "${settings[@]}" 2>"$dir/log" || { cat "$dir/log" >&2; die "nix-build"; }
}
busybox=$(sed -n '1s/^#!\(.*\)\/bin\/sh.*/\1/p' "$new/init")
noinit=$(like noinit '#!/none\n') hang=$(like hang "#!$busybox/bin/sh\nwhile :; do $busybox/bin/sleep 9; done\n")
systems=("$old" "$new" "$panic" "$noinit" "$hang" "$self" "$freeze")
nix --extra-experimental-features nix-command "${settings[@]}" copy --no-check-sigs --to "file://$dir/cache?compression=none" "${systems[@]}"
mke2fs -q -t ext4 -d "$dir/cache" "$dir/cache.img" "$(($(du -sm "$dir/cache" | cut -f1) * 5 / 4 + 16))M"
"$domstrap" create g -q -o "$dir" --system "$old" --type "$type" --memory 384 --set "extra=console=hvc0 panic=5"

say "restarting a guest, $type (3 to 10 minutes; all cases: 10 to 40)"
before=$failed
machine "restart-$type" -W -d "$dir/cache.img" -b "$domgrub" -x "$domstrap" -c "$dir/g.cfg" -e "OLD=$old" -e "NEW=$new" -e "PANIC=$panic" \
  -e "NOINIT=$noinit" -e "HANG=$hang" -e "SELF=$self" -e "FREEZE=$freeze" -e "FULL=$full" -t 2700 restart
machine_end
while read -r what; do ok "$what"; done < <(sed -n 's/.*RIG [0-9.]* OK //p' "$logs/restart-$type.log")
while read -r what; do bad "$what"; done < <(sed -n 's/.*RIG [0-9.]* FAIL //p' "$logs/restart-$type.log")
check "e2fsck finds nothing" e2fsck -fn "$dir/g.img?offset=1048576"
check "the last one that was confirmed boots by default" same "$("$domstrap" generations "$dir/g.cfg" --json | jq -r '.generations[] | select(.default) | .system')" \
  "$([ -n "$full" ] && echo "$self" || echo "$new")"
outcome "restart-$type" "$before"
finish
