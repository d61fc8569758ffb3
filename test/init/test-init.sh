#!/bin/bash
# test-init.sh DOMSTRAP: what `domstrap init` writes parses with real Nix and builds with the demo's modules;
# wrong options are refused and leave nothing behind.
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
refused() { # refused WORDS OPTION...: status 2, WORDS in the message, nothing written
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

cp "$dir/single/configuration.nix" "$dir/before"
"$domstrap" init "$dir/single" 2>/dev/null && bad "does not overwrite" || ok "does not overwrite"
cmp -s "$dir/before" "$dir/single/configuration.nix" && ok "leaves what is there" || bad "leaves what is there"

refused 'unknown option "--bogus"' --bogus
refused "inner hyphens" --hostname 'a b'
refused "single or split" --layout both
refused "192.0.2.7/24" --ip 192.0.2.7
refused "go with --ip" --gateway 192.0.2.1
refused "NixOS's are such as" --release 26.04
refused "a letter or" --user Root
refused "at most 31" --user a2345678901234567890123456789012
refused "isNormalUser" --user root
refused "isNormalUser" --user systemd-network
echo "-----BEGIN OPENSSH PRIVATE KEY-----" >"$dir/private"
refused "this is a private key" --ssh-key "$dir/private"
echo "hello" >"$dir/text"
refused "is no public SSH key" --ssh-key "$dir/text"
if setsid -w "$domstrap" init "$dir/none" --password-prompt >"$dir/out" 2>&1 </dev/null; then
  bad "a password needs a terminal"
else
  grep -q "needs a terminal" "$dir/out" && ok "a password needs a terminal" || bad "a password needs a terminal"
fi
# A person types: the hash is there, the password is not.
if { sleep 1; echo 'se cret'; sleep 1; echo 'se cret'; sleep 1; } | script -qec "$domstrap init $dir/hashed --password-prompt" /dev/null >"$dir/out" 2>&1 &&
  grep -q 'hashedPassword = "\$' "$dir/hashed/configuration.nix" && ! grep -q 'se cret' "$dir/hashed/configuration.nix" &&
  [ "$(stat -c %a "$dir/hashed/configuration.nix")" = 600 ]; then
  ok "a password is hashed"
else
  bad "a password is hashed: $(cat "$dir/out")"
fi
# ^C at the prompt: the terminal echoes again, nothing is left, the status says so.
tmux=(tmux -L "init-$$" -f /dev/null)
"${tmux[@]}" new-session -d -x 200 -y 50 "sh"
"${tmux[@]}" send-keys "cd $dir; $domstrap init asked --password-prompt; echo status \$?; stty -a >tty" Enter
for _ in {1..50}; do "${tmux[@]}" capture-pane -p | grep -q '^Password of ' && break; sleep 0.1; done
"${tmux[@]}" send-keys secret C-c
for _ in {1..50}; do [ -s "$dir/tty" ] && break; sleep 0.1; done
seen=$("${tmux[@]}" capture-pane -p)
"${tmux[@]}" kill-server
check "^C at the prompt: status 130" grep -q '^status 130' <<<"$seen"
check "^C at the prompt: the terminal echoes" grep -qE ' echo( |$)' "$dir/tty"
check "^C at the prompt: nothing is shown" sh -c '! grep -q secret' <<<"$seen"
check "^C at the prompt: nothing is left" test ! -e "$dir/asked"
finish
