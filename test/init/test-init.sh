#!/bin/bash
# test-init.sh DOMSTRAP: the files of `domstrap init` are parsed by real Nix, use only options of NixOS with values of their
# types, and build with the demo's modules; wrong options are refused and leave nothing behind.
. "$(dirname "$0")/../lib.sh"
domstrap=$(readlink -f "${1:?DOMSTRAP}")
scratch
export HOME=$dir/home
mkdir -p "$HOME/.ssh"

key='ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYdlomt+p+ocbpH4VKk1qQm6EeKqYartd2C//rv8k51 a "quoted" ${key}'
echo "$key" >"$HOME/.ssh/id_ed25519.pub"

builds() { # builds NAME OPTION...: init, parse, build
  local name=$1
  shift
  if "$domstrap" init "$dir/$name" -q "$@" && nix-instantiate --parse "$dir/$name/configuration.nix" >/dev/null &&
    system=$("$repo/demo/nixos/build.sh" "$dir/$name/configuration.nix" "$dir/result" 2>"$dir/log"); then
    ok "$name builds"
  else
    bad "$name builds: $(tail -n 3 "$dir/log")"
  fi
}
refused() { # refused WORDS OPTION...: status 2, WORDS in the message, and nothing is written
  local words=$1 rc=0
  shift
  "$domstrap" init "$dir/none" "$@" >"$dir/out" 2>&1 </dev/null || rc=$?
  if [ $rc = 2 ] && grep -qF -- "$words" "$dir/out" && [ ! -e "$dir/none" ]; then
    ok "refused: $words"
  else
    bad "refused: $words: status $rc, $(cat "$dir/out")"
  fi
}
has() { if grep -qF -- "$2" "$dir/$1"; then ok "$1 has $2"; else bad "$1 has $2"; fi; }

builds single --flake --hostname one
has single/configuration.nix 'networking.hostName = "one";'
has single/configuration.nix 'a \"quoted\" \${key}"'
grep -q '^/dev/xvda1 / ext4' "$system/etc/fstab" && ok "single: root on xvda1" || bad "single: root on xvda1"
nix-instantiate --parse "$dir/single/flake.nix" >/dev/null && ok "flake parses" || bad "flake parses"
builds split --layout split --boot pygrub --ip 192.0.2.7/24 --gateway 192.0.2.1 --dns 192.0.2.53 --user some-one
grep -q '^/dev/xvda /boot ext4' "$system/etc/fstab" && ok "split: /boot on xvda" || bad "split: /boot on xvda"
has split/configuration.nix 'users.users."some-one"'
has split/configuration.nix 'address = ['
has split/configuration.nix 'gateway = ['
has split/configuration.nix 'settings.PasswordAuthentication = false;'
builds older --release 21.05 --user a234567890123456789012345678901
has older/configuration.nix '    passwordAuthentication = false;'
has split/configuration.nix 'domstrap create split --config configuration.nix --nixpkgs channel:nixos-26.05 --layout split --boot pygrub'
has single/flake.nix 'domstrap create one --flake .'

# ---- each option, against the types and assertions of NixOS (options.nix)

evaluate() { # evaluate FILE [RELEASE]: errors and values, as JSON
  nix-instantiate --eval --strict --json "$repo/test/init/options.nix" --arg configuration "$1" --argstr release "${2:-26.05}" 2>"$dir/log"
}
# valid WHAT FILTER WANTED OPTION...: init with OPTIONs writes a valid configuration, and jq's FILTER of its values is WANTED
release=26.05
valid() {
  local what=$1 filter=$2 wanted=$3 got
  shift 3
  "$domstrap" init "$dir/option" -f -q --user admin "$@" || { bad "$what: init"; return; }
  got=$(evaluate "$dir/option/configuration.nix" "$release" | jq -c ".errors, (.config | $filter)") || got=$(cat "$dir/log")
  check "$what" same "$got" "[]"$'\n'"$wanted"
}
valid "by default: one disk, that grows" '[.fileSystems["/"], .boot.growPartition]' '[{"autoResize":true,"device":"/dev/xvda1","fsType":"ext4"},true]'
valid "by default: DHCP" '.systemd.network.networks["10-xen"]' '{"matchConfig":{"Driver":"vif"},"networkConfig":{"DHCP":"yes"}}'
valid "by default: the user of one's own" '.users.users | keys' '["admin"]'
valid "--layout" '[.fileSystems["/", "/boot"].device, .boot.loader.grub.fsIdentifier]' '["/dev/xvdb","/dev/xvda","provided"]' --layout split
valid "--boot" '[.boot.loader.grub | .device, .fsIdentifier, .extraConfig]' '["nodev","provided","set root=(hd0,1)"]' --boot pygrub
valid "--boot and --layout" '.boot.loader.grub.extraConfig' '"set root=(hd0)"' --boot pygrub --layout split
valid "--hostname" .networking.hostName '"a-1"' --hostname a-1
valid "a hostname of 63 letters" '.networking.hostName | length' 63 --hostname "$(printf 'a%.0s' {1..63})"
valid "--shared" "[.networking.hostName, .networking.useNetworkd]" '["",true]' --shared
valid "--ip" '.systemd.network.networks["10-xen"] | .address, .networkConfig' '["192.0.2.7/24"]'$'\n'null --ip 192.0.2.7/24
# "gateway" has one form for all releases, "routes" has two.
for release in 20.09 23.11 24.05 26.05; do
  valid "--gateway and --dns, for $release" '.systemd.network.networks["10-xen"] | [.gateway, .dns, .routes]' \
    '[["192.0.2.1"],["192.0.2.53","2001:db8::53"],null]' --release "$([ $release = 20.09 ] && echo 21.05 || echo $release)" \
    --ip 192.0.2.7/24 --gateway 192.0.2.1 --dns 192.0.2.53 --dns 2001:db8::53
done
release=26.05
valid "an address of IPv6" '.systemd.network.networks["10-xen"] | [.address, .gateway]' '[["2001:db8::7/64"],["2001:db8::1"]]' --ip 2001:db8::7/64 --gateway 2001:db8::1
valid "--time-zone" .time.timeZone '"Europe/Berlin"' --time-zone Europe/Berlin
valid "--user" '.users.users | to_entries | map([.key, .value.isNormalUser, .value.extraGroups])' '[["some_one",true,["wheel"]]]' --user some_one
valid "a user's name of 31 letters" '.users.users | keys | map(length)' '[31]' --user a234567890123456789012345678901
printf '%s\n' "$key" 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGYdlomt+p+ocbpH4VKk1qQm6EeKqYartd2C//rv8k52 second' >"$dir/keys.pub"
valid "--ssh-key" '.users.users.admin.openssh.authorizedKeys.keys | map(split(" ")[1][-1:])' '["1","2"]' --ssh-key "$dir/keys.pub"
valid "a key as it is, quotes and all" '.users.users.admin.openssh.authorizedKeys.keys' "$(jq -cn --arg k "$key" '[$k]')" --ssh-key "$HOME/.ssh/id_ed25519.pub"
valid "without a password sudo does not ask" .security.sudo.wheelNeedsPassword false
valid "--release" '[.system.stateVersion, .services.openssh.settings.PasswordAuthentication]' '["23.05",false]' --release 23.05
release=21.05 valid "--release, of before sshd's settings" '[.system.stateVersion, .services.openssh.passwordAuthentication]' '["21.05",false]' --release 21.05

# options.nix itself: it must refuse what NixOS refuses.
invalid() { # invalid WORDS OLD NEW [RELEASE]: with OLD replaced by NEW in what init writes
  "$domstrap" init "$dir/option" -f -q --user admin --ip 192.0.2.7/24 --gateway 192.0.2.1
  sed -i "s|$2|$3|" "$dir/option/configuration.nix"
  check "NixOS refuses: $1" grep -qF -- "$1" <(evaluate "$dir/option/configuration.nix" "${4:-26.05}" | jq -r '.errors[]')
}
invalid "Exactly one of users.users.root" '"admin"' root
invalid "longer than 31 characters" '"admin"' a2345678901234567890123456789012
invalid "does not exist" 'growPartition' 'growPartitions'
invalid "is no boolean" 'growPartition = true' 'growPartition = "yes"'
invalid "is no list of section" 'gateway = \[' 'routes = [ { routeConfig.Gateway = "192.0.2.1"; } ]; gateway = ['
invalid "is no list of { routeConfig" 'gateway = \[' 'routes = [ { Gateway = "192.0.2.1"; } ]; gateway = [' 23.11
invalid "boot.loader.grub.devices" 'device = "nodev";' ''
invalid "autoResize = true" 'fsType = "ext4"; ' ''
invalid "your root file system" 'fileSystems."/"' 'fileSystems."/data"'
invalid "kernelParams" '"panic=30"' '"panic = 30"'

# ---- --try: the unit of share/domstrap/guest.nix

valid "--try" '.systemd.services["domstrap-confirm"] | [.wantedBy, .after, .requires, .serviceConfig.Type, .serviceConfig.StandardOutput]' \
  '[["multi-user.target"],["multi-user.target"],[],"oneshot","journal+console"]' --try
valid "--try: Xen's watchdog" '[.boot.kernelModules, .environment.etc]' \
  '[["xen_wdt"],{"systemd/system.conf.d/50-domstrap-watchdog.conf":{"text":"[Manager]\nRuntimeWatchdogSec=60\n"}}]' --try
evaluate "$dir/option/configuration.nix" | jq -S '.config | .systemd, .boot, .environment' >"$dir/inlined"
with_module() { # with_module SETTINGS: the same with the file imported, and SETTINGS
  "$domstrap" init "$dir/option" -f -q --user admin
  sed -i "s|^  # Kernel messages|  imports = [ $repo/share/domstrap/guest.nix ]; $1\n&|" "$dir/option/configuration.nix"
  evaluate "$dir/option/configuration.nix"
}
with_module "" | jq -S '.config | .systemd, .boot, .environment' >"$dir/imported"
check "--try writes the module as it is" cmp "$dir/inlined" "$dir/imported"
with_module 'domstrap.confirm = { requires = [ \"a.service\" ]; after = [ \"b.target\" ]; script = \"test -e ok\"; };' >"$dir/json"
check "requires and after" same "$(jq -c '.errors, (.config.systemd.services["domstrap-confirm"] | [.after, .requires])' "$dir/json")" \
  '[]'$'\n''[["multi-user.target","a.service","b.target"],["a.service"]]'
check "enable" same "$(with_module 'domstrap.confirm.enable = false;' | jq -c '.errors, .config.systemd.services')" '[]'$'\n''{}'
check "watchdog.enable" same "$(with_module 'domstrap.watchdog.enable = false;' | jq -c '.errors, .config.environment.etc, .config.boot.kernelModules')" '[]'$'\n''{}'$'\n'null
check "watchdog.seconds" grep -q 'RuntimeWatchdogSec=20' <(with_module 'domstrap.watchdog.seconds = 20;')
check "a wrong value" same "$(with_module 'domstrap.confirm.after = \"x\";' | jq '.errors | length > 0' 2>/dev/null || echo true)" true
check "an option that does not exist" grep -q 'domstrap.confirm.timeout.* does not exist' <(with_module 'domstrap.confirm.timeout = 1;' | jq -r '.errors[]')

# Its script, with other places, and programs that note how they are called.
guest=$dir/guest tried=$dir/guest/new kept=$dir/guest/old
mkdir -p "$guest/bin" "$tried/bin" "$kept"
jq -r '.config.systemd.services["domstrap-confirm"].script' "$dir/json" |
  sed "s|'/boot/grub/grubenv'|'$guest/grubenv'|; s|/nix/var/nix/profiles/system|$guest/profile|; s|/run/booted-system|$guest/booted|; s|/nix/store/[^ ;]*-domstrap-confirm|$guest/health|" >"$guest/script"
printf '#!/bin/sh\necho "nix-env $*" >>%s\nln -sfn "$4" "$2"\n' "$guest/calls" >"$guest/bin/nix-env"
printf '#!/bin/sh\necho "switch $*" >>%s\n' "$guest/calls" >"$tried/bin/switch-to-configuration"
chmod +x "$guest/bin/nix-env" "$tried/bin/switch-to-configuration"
echo "test -e '$guest/ok'" >"$guest/health"
# confirms WHAT STATUS SAYS VARIABLES CALLS: run the script, and compare
confirms() {
  local rc=0
  rm -f "$guest/calls"
  PATH=$guest/bin:$PATH bash "$guest/script" >"$guest/said" 2>&1 || rc=$?
  [ -e "$guest/calls" ] || : >"$guest/calls"
  check "$1" same "$rc: $(sed "s|$guest/||g" "$guest/said" "$guest/calls") $(grub-editenv "$guest/grubenv" list 2>/dev/null | sed "s|$guest/||g" | sort | tr '\n' ' ')" "$2: $3 $4"
}
on_trial() { # on_trial BOOTED PROFILE
  grub-editenv "$guest/grubenv" create
  grub-editenv "$guest/grubenv" set "domstrap_try=$tried" "domstrap_kept=$kept" saved=x
  ln -sfn "$1" "$guest/booted"; ln -sfn "$2" "$guest/profile"
}
ln -sfn "$tried" "$guest/booted"; ln -sfn "$kept" "$guest/profile"
confirms "no environment block" 0 "" ""
grub-editenv "$guest/grubenv" create
confirms "no trial" 0 "" ""
touch "$guest/ok"
on_trial "$kept" "$kept"
confirms "another system was started" 0 "not confirmed: new; the guest has started old" "domstrap_kept=old domstrap_tried=new saved=x "
ln -sfn "$tried" "$guest/booted"
confirms "chosen by hand after its trial" 0 "" "domstrap_kept=old domstrap_tried=new saved=x "
on_trial "$tried" "$dir"
confirms "another profile" 0 "not confirmed: new; the system profile has changed since it was put on trial" "domstrap_kept=old domstrap_tried=new saved=x "
rm "$guest/ok"
on_trial "$tried" "$kept"
confirms "the script fails" 1 "not confirmed: new; domstrap.confirm.script failed" "domstrap_kept=old domstrap_tried=new saved=x "
touch "$guest/ok"
on_trial "$tried" "$kept"
confirms "a good system" 0 "confirmed: new boots by default"$'\n'"nix-env --profile profile --set new"$'\n'"switch boot" "saved=x "
confirms "only once" 0 "" "saved=x "

cp "$dir/single/configuration.nix" "$dir/before"
"$domstrap" init "$dir/single" 2>/dev/null && bad "does not overwrite" || ok "does not overwrite"
cmp -s "$dir/before" "$dir/single/configuration.nix" && ok "leaves what is there" || bad "leaves what is there"

refused 'unknown option "--bogus"' --bogus
refused "inner hyphens" --hostname 'a b'
refused "single or split" --layout both
refused "192.0.2.7/24" --ip 192.0.2.7
refused "mutually exclusive" --shared --ip 192.0.2.7/24
refused "pygrub ignores" --try --boot pygrub
refused "requires --ip" --gateway 192.0.2.1
refused "requires --ip with an IPv6" --ip 192.0.2.7/24 --gateway 2001:db8::1
refused "an address such as" --ip 192.0.2.7/24 --dns 192.0.2.999
refused "release '26.04'" --release 26.04
refused "a letter or" --user Root
refused "at most 31" --user a2345678901234567890123456789012
refused "isNormalUser" --user root
refused "isNormalUser" --user systemd-network
echo "-----BEGIN OPENSSH PRIVATE KEY-----" >"$dir/private"
refused "this is a private key" --ssh-key "$dir/private"
echo "hello" >"$dir/text"
refused "is not a public SSH key" --ssh-key "$dir/text"
if setsid -w "$domstrap" init "$dir/none" --password-prompt >"$dir/out" 2>&1 </dev/null; then
  bad "a password needs a terminal"
else
  grep -q "not a terminal" "$dir/out" && ok "a password needs a terminal" || bad "a password needs a terminal"
fi
# A password typed on a terminal: the configuration has its hash, not the password. Each terminal has its own tmux server,
# because one that is ending still has its socket.
terminals=0
on_terminal() {
  terminals=$((terminals + 1))
  tmux=(tmux -L "init-$$-$terminals" -f /dev/null)
  "${tmux[@]}" new-session -d -x 200 -y 50 "sh" && "${tmux[@]}" send-keys "cd $dir; $1" Enter
}
shows() { # shows PATTERN: wait until the terminal shows it
  for _ in {1..300}; do "${tmux[@]}" capture-pane -p | grep -q "$1" && return; sleep 0.1; done
  "${tmux[@]}" capture-pane -p
  return 1
}
on_terminal "$domstrap init hashed --password-prompt; echo status \$?"
if shows 'Password of admin:' && "${tmux[@]}" send-keys 'se cret' Enter &&
  shows 'Retype ' && "${tmux[@]}" send-keys 'se cret' Enter && shows 'status 0' &&
  grep -q 'hashedPassword = "\$' "$dir/hashed/configuration.nix" && ! grep -q 'se cret' "$dir/hashed/configuration.nix" &&
  [ "$(stat -c %a "$dir/hashed/configuration.nix")" = 600 ]; then
  ok "a password is hashed"
else
  bad "a password is hashed"
fi
"${tmux[@]}" kill-server
# ^C at the prompt: the terminal echoes again, nothing is left behind, and the status shows the interrupt.
on_terminal "$domstrap init asked --password-prompt; echo status \$?; stty -a >tty"
shows 'Password of admin:'
"${tmux[@]}" send-keys secret C-c
for _ in {1..300}; do [ -s "$dir/tty" ] && break; sleep 0.1; done
seen=$("${tmux[@]}" capture-pane -p)
"${tmux[@]}" kill-server
check "^C at the prompt: status 130" grep -q 'status 130' <<<"$seen"
check "^C at the prompt: the terminal echoes" grep -qE ' echo( |$)' "$dir/tty"
check "^C at the prompt: nothing is shown" sh -c '! grep -q secret' <<<"$seen"
check "^C at the prompt: nothing is left" test ! -e "$dir/asked"
finish
