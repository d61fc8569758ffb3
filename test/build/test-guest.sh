#!/bin/bash
# create and update with --config and --flake: the system is built, and copied into the guest together with its
# configuration.
. "$(dirname "$0")/lib.sh"

nix=(--nixpkgs "$nixpkgs")
img=$out/web1.img
update() { "$DOMSTRAP" update "$@" </dev/null; }
quietly() { # quietly COMMAND...: it succeeds without output
  "$@" >"$work/stdout" 2>"$work/stderr" || { cat "$work/stderr" >&2; fail "$*"; }
  [[ ! -s "$work/stdout" && ! -s "$work/stderr" ]] || { cat "$work/stdout" "$work/stderr" >&2; fail "it speaks: $*"; }
}
# fails STATUS WORDS COMMAND...: the last line on stderr matches WORDS, and $out has not changed
fails() {
  local status=$1 words=$2 got=0 before
  shift 2
  before=$(ls -lA "$out")
  "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$status" ] || { cat "$work/stderr" >&2; fail "status $got, not $status: $*"; }
  tail -n 1 "$work/stderr" | grep -Eq -- "$words" || { cat "$work/stderr" >&2; fail "not said: $words: $*"; }
  [ ! -s "$work/stdout" ] || fail "text on stdout: $*"
  [ "$(ls -lA "$out")" = "$before" ] || fail "it left something: $*"
  echo "$got: $(tail -n 1 "$work/stderr")"
}

# ---- create --config ----

echo '{ } # one' >configuration.nix
fails 1 'is not built yet.*domstrap build' create web1 --config configuration.nix "${nix[@]}" -o "$out" -n
quietly create web1 --config configuration.nix "${nix[@]}" -o "$out" -q
system=$(readlink "$out/web1.system")
[ -e "$system/init" ] || fail "no link that keeps the system"
clean "$img"
[ "$(inside "$img" /etc/nixos/configuration.nix)" = '{ } # one' ] || fail "configuration.nix is not in the guest"
[ "$(inside "$img" /root/.nix-channels)" = 'https://channels.nixos.org/nixos-25.11 nixos' ] || fail "no channel"
cp "$img" "$work/first.img"
# The same image as with --system and --configuration, and as when the guest is made again.
create web1 --system "$system" --configuration configuration.nix -o "$out" -q -f
cmp "$img" "$work/first.img" || fail "by hand it is another image"
quietly create web1 --config configuration.nix "${nix[@]}" -o "$out" -q -f
cmp "$img" "$work/first.img" || fail "made again it is another image"
create web1 --config configuration.nix "${nix[@]}" -o "$out" -n --json -f 2>/dev/null >dry.json
[ "$(jq -r .system dry.json)" = "$system" ] || fail "--dry-run has another system"
create web9 --config configuration.nix "${nix[@]}" -o "$out" -q --configuration "$nixpkgs/nixos/default.nix"
inside "$out/web9.img" /etc/nixos/configuration.nix | cmp - "$nixpkgs/nixos/default.nix" || fail "--configuration"
rm "$out"/web9*
# An existing file or a bad option is reported before anything is built.
echo '{' >broken.nix
fails 1 'web1.img|web1.cfg: already exists' create web1 --config broken.nix "${nix[@]}" -o "$out"
fails 1 'nix-build failed' create web2 --config broken.nix "${nix[@]}" -o "$out"
fails 1 'nowhere' create web2 --config broken.nix "${nix[@]}" -o nowhere
fails 2 '--memory' create web2 --config broken.nix "${nix[@]}" -o "$out" --memory 1
fails 2 '--system .* and --config .* mutually exclusive' create web2 --config broken.nix --system "$system" -o "$out"
fails 2 '--from requires --system' create web2 --config broken.nix --from / -o "$out"
fails 2 'require --config, --file or --flake' create web2 --system "$system" --show-trace -o "$out"
fails 2 'mutually exclusive' create web2 --config broken.nix --flake . -o "$out"
fails 2 'specify --system .*--config, --file or --flake' create web2 -o "$out"
fails 1 'not found in PATH; .*Nix' env PATH=/nowhere "$DOMSTRAP" create web2 --config configuration.nix -o "$out"
echo '{ test.extra = "rm init"; }' >broken.nix
create web2 --config broken.nix "${nix[@]}" -o "$out" 2>stderr && fail "a system without init"
grep -q 'not a NixOS system' stderr || fail "not said that it is none"
[ -z "$(find "$out" -name 'web2*')" ] || fail "what is no system is kept"

# ---- create --file ----

mkdir file
cp "$here/system.nix" file/small.nix
cp "$here/build.nix" file
echo '{ web4.config.system.build.toplevel = import ./small.nix { kind = "small"; extra = "echo web4 >host"; }; }' >file/system.nix
echo 'for the guest' >file/configuration.nix
create web4 --file file/system.nix --attr web4 -o "$out" -q
[ "$(cat "$out/web4.system/host")" = web4 ] || fail "--file: not that system"
for file in system.nix configuration.nix; do
  inside "$out/web4.img" /etc/nixos/$file | cmp - file/$file || fail "$file is not in the guest"
done
(cd file && sed -i 's/echo web4/echo newer/' system.nix && update "$out/web4.img" --attr web4 -q)
inside "$out/web4.img" /etc/nixos/system.nix | cmp - file/system.nix || fail "update --attr: system.nix is the old one"
rm "$out"/web4*

# ---- create --flake ----

flake many web1 web2
echo 'for the guest' >many/configuration.nix
create web2 --flake ./many -o "$out" -q --layout split
[ "$(cat "$out/web2.system/host")" = web2 ] || fail "not the host of the guest's name"
start_of=0
for file in flake.nix configuration.nix; do
  inside "$out/web2-root.img" /etc/nixos/$file | cmp - many/$file || fail "$file is not in the guest"
done
unset start_of
create web3 --flake "path:$work/many#web1" -o "$out" -q --configuration "$nixpkgs/nixos/default.nix"
[ "$(cat "$out/web3.system/host")" = web1 ] || fail "not the host that was named"
inside "$out/web3.img" /etc/nixos/configuration.nix | cmp - "$nixpkgs/nixos/default.nix" || fail "--configuration with a flake"
inside "$out/web3.img" /etc/nixos/flake.nix | cmp - many/flake.nix || fail "flake.nix with --configuration"
fails 2 'with ./many#HOST' create web4 --flake ./many -o "$out"
create web3 --flake "path:$work/many?x=y#web1" -o "$out" -f 2>stderr && fail "Nix knows that?"
rm "$out"/web2* "$out"/web3*

# ---- update ----

generations() { "$DOMSTRAP" generations "$@" --json | jq -r '[.generations[] | .generation | tostring] | join(" ")'; }
cfg=$out/web1.cfg
echo '{ test.extra = "echo two >two"; } # two' >configuration.nix
fails 1 'is not built yet' update "$cfg" --config configuration.nix "${nix[@]}" -n
quietly update "$cfg" --config configuration.nix "${nix[@]}" -q
clean "$img"
[ "$(generations "$cfg")" = '1 2' ] || fail "no second generation: $(generations "$cfg")"
two=$(readlink "$out/web1.system")
[[ "$two" != "$system" && -e "$two/two" ]] || fail "the link is the old one"
inside "$img" /etc/nixos/configuration.nix | cmp - configuration.nix || fail "the new configuration is not there"
[ "$(inside "$img" /etc/nixos/configuration.nix.old)" = '{ } # one' ] || fail "the guest's own is lost"
[ "$(inside "$img" /root/.nix-channels)" = 'https://channels.nixos.org/nixos-25.11 nixos' ] || fail "the channel changed"
# A newer release: its channel replaces that of the older release.
echo '{ test.version = "26.05.20260601.ddddddd"; } # three' >configuration.nix
update "$img" --config configuration.nix "${nix[@]}" -q
[ "$(inside "$img" /root/.nix-channels)" = 'https://channels.nixos.org/nixos-26.05 nixos' ] || fail "the channel is the old one"
# But not one that the guest has chosen.
debugfs -w -R 'rm /root/.nix-channels' "$img?offset=$start" 2>/dev/null
echo 'https://example.org/mine nixos' >mine
debugfs -w -R 'write mine /root/.nix-channels' "$img?offset=$start" >/dev/null 2>&1
update "$img" --flake ./many#web1 -q
[ "$(inside "$img" /root/.nix-channels)" = 'https://example.org/mine nixos' ] || fail "the guest's own channel is lost"
[ "$(generations "$img")" = '1 2 3 4' ] || fail "not four generations: $(generations "$img")"
inside "$img" /etc/nixos/flake.nix | cmp - many/flake.nix || fail "flake.nix is not in the guest"
[ "$(inside "$img" /etc/nixos/configuration.nix)" = 'for the guest' ] || fail "the flake's configuration.nix is not there"
clean "$img"
cp "$img" before.img
echo '{' >broken.nix
fails 1 'nix-build failed' update "$img" --config broken.nix "${nix[@]}"
fails 2 'specify --system, --config, --file, --flake or --size' update "$img"
fails 2 '--system .* and --flake .* mutually exclusive' update "$img" --flake ./many --system "$system"
fails 2 '--from requires --system' update "$img" --config broken.nix --from /
fails 2 'require --config, --file or --flake' update "$img" --system "$system" --option cores 1
fails 2 '--option cores needs two values' update "$img" --config broken.nix --option cores
# A guest that cannot be changed is reported before the build.
fails 1 'no Nix|NixOS|file system' update "$work/stdout" --config broken.nix "${nix[@]}"
exec 7<>"$img"
flock -n 7 || fail "cannot lock"
fails 3 'locked by another program' update "$img" --config broken.nix "${nix[@]}"
exec 7>&-
# A directory in place of the file.
debugfs -w -R 'rm /etc/nixos/configuration.nix' "$img?offset=$start" 2>/dev/null
debugfs -w -R 'mkdir /etc/nixos/configuration.nix' "$img?offset=$start" >/dev/null 2>&1
update "$img" --config configuration.nix "${nix[@]}" 2>stderr && fail "a directory was replaced"
grep -q 'configuration.nix is neither a regular file' stderr || { cat stderr >&2; fail "not said what is in the way"; }
clean "$img"
[ "$(generations "$img")" = '1 2 3 4' ] || fail "a failed update made a generation"
echo "guests are built and updated"
