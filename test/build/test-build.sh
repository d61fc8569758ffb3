#!/bin/bash
# domstrap build: builds with real Nix, from configurations and flakes; the result is one line; and the error messages.
. "$(dirname "$0")/lib.sh"

build() { PATH=${use_path:-$PATH} "$DOMSTRAP" build "$@" </dev/null; }

# says WORDS ARGUMENT...: the build succeeds with WORDS (an extended regular expression) on stderr; sets system to the path
says() {
  local words=$1
  shift
  build "$@" >"$work/stdout" 2>"$work/stderr" || { cat "$work/stderr" >&2; fail "build $*"; }
  [ "$(wc -l <"$work/stdout")" = 1 ] || fail "stdout is not one line: build $*"
  system=$(cat "$work/stdout")
  [[ $system =~ ^/nix/store/[0-9a-z]{32}-nixos-system-small-25.11$ ]] || fail "no system: $system"
  [ -z "$words" ] || grep -Eq -- "$words" "$work/stderr" || { cat "$work/stderr" >&2; fail "not said: $words: build $*"; }
}
# refuses STATUS WORDS ARGUMENT...: the last line on stderr matches WORDS, stdout is empty, and no link is made
refuses() {
  local status=$1 words=$2 got=0 before
  shift 2
  before=$(ls -A .)
  build "$@" >"$WORLD/stdout" 2>"$WORLD/stderr" || got=$?
  [ "$got" = "$status" ] || { cat "$WORLD/stderr" >&2; fail "status $got, not $status: build $*"; }
  tail -n 1 "$WORLD/stderr" | grep -Eq -- "$words" || { cat "$WORLD/stderr" >&2; fail "not said: $words: build $*"; }
  [ ! -s "$WORLD/stdout" ] || fail "text on stdout: build $*"
  [ "$(ls -A .)" = "$before" ] || { ls -lA >&2; fail "files are left: build $*"; }
  echo "$got: $(tail -n 1 "$WORLD/stderr")"
}

# ---- a configuration ----

# shellcheck disable=SC2016 # it is a name
odd=$work/'a b"${c}\d$'
mkdir "$odd" empty
echo '{ }' >configuration.nix
echo '{ test.extra = "echo other >other"; }' >"$odd/other.nix"

says 'would be built' -n --nixpkgs "$nixpkgs"
[[ ! -e "$system" && ! -e result ]] || fail "--dry-run built something"
would=$system
says "building '/nix/store/.*nixos-system-small" --nixpkgs "$nixpkgs"
[ "$system" = "$would" ] || fail "--dry-run said another path"
[ "$(readlink result)" = "$system" ] || fail "result leads elsewhere"
says 'already built' -n --nixpkgs "$nixpkgs"
says '' -q --nixpkgs "$nixpkgs"
[ ! -s stderr ] || fail "--quiet says something"
NIX_PATH=nixpkgs=$nixpkgs says ''
NIX_PATH=other=$nixpkgs says '' --nixpkgs other
(cd "$nixpkgs/.." && says '' --nixpkgs ./nixpkgs --config "$work/configuration.nix" -o "$work/result")
tar -C "$here/../.." -czf nixpkgs.tar.gz --transform 's,test/build/nixpkgs/,top/,' \
  --transform 's,test/create/,top/create/,' test/build/nixpkgs/nixos/default.nix test/create/{system,build}.nix
mkdir unpacked
tar -xzf nixpkgs.tar.gz -C unpacked
sed -i 's,\.\./\.\./\.\./create,../create,' unpacked/top/nixos/default.nix
tar -C unpacked -czf nixpkgs.tar.gz top
says '' --nixpkgs "file://$work/nixpkgs.tar.gz"
rm -r unpacked
before=$system
# Options for Nix, checked against Nix's list of settings.
says 'nix-build .*/nixos -A system --arg configuration .*--option cores 3 --option keep-going true --max-jobs 2 --show-trace --log-format bar-with-logs --verbose --out-link other' \
  --nixpkgs "$nixpkgs" --config "$odd/other.nix" -o other --option cores 3 -v --option keep-going true -j 2 --show-trace -L
[[ -e "$system/other" && "$system" != "$before" ]] || fail "the configuration had no effect"
[ "$(readlink other)" = "$system" ] || fail "other leads elsewhere"
says '"action":' --nixpkgs "$nixpkgs" --log-format internal-json
rm result
nix-store --gc >gc.log 2>&1
[ -e "$system" ] || [ -e "$(readlink other)" ] || fail "the link keeps nothing"
[ ! -e "$before" ] || fail "this collects nothing, so the test tests nothing"
echo "configurations are built"

# ---- files ----

mkdir file
cp "$here/system.nix" "$here/build.nix" file
cat >file/system.nix.in <<'NIX'
let system = name: import ./system.nix { kind = "small"; extra = "echo ${name} >host"; };
in { config.system.build.toplevel = system "all"; hosts."web.1".config.system.build.toplevel = system "web"; }
NIX
cp file/system.nix.in file/fleet.nix
says 'would be built' -n --file file/fleet.nix
[ ! -e "$system" ] || fail "--dry-run built something"
says 'nix-build .*/file/fleet.nix -A config.system.build.toplevel --verbose' --file ./file/fleet.nix -v -o whole
[ "$(cat whole/host)" = all ] || fail "--file: not the file's own system"
says '' --file file/fleet.nix --attr 'hosts."web.1"' -o whole
[ "$(cat whole/host)" = web ] || fail "--attr: not that system"
cp file/fleet.nix file/default.nix
says '' --file file --attr 'hosts."web.1"' -o whole
(
  cd file
  mv system.nix small.nix
  sed 's,\./system.nix,./small.nix,' fleet.nix >system.nix
  says '' --attr 'hosts."web.1"' -o ../whole
  says '' -o ../whole
  [ "$(cat ../whole/host)" = all ] || fail "system.nix is not the default"
  cp ../configuration.nix .
  says '-A config.system.build.toplevel' -v -o ../whole
  says '-A system --arg configuration' -v -o ../whole --nixpkgs "$nixpkgs"
)
# --nixpkgs sets <nixpkgs>.
echo '{ config.system.build.toplevel = (import <nixpkgs/nixos> { configuration = ./configuration.nix; }).system; }' >wants.nix
says '' --file wants.nix --nixpkgs "$nixpkgs" -o whole
says '' --file wants.nix --nixpkgs "file://$work/nixpkgs.tar.gz" -o whole
refuses 2 "--nixpkgs 'other': with --file" --file wants.nix --nixpkgs other
refuses 2 'mutually exclusive' --file file --config configuration.nix
refuses 2 'mutually exclusive' --attr a --flake .
refuses 2 '--attr a: no system.nix in the current directory' --attr a
refuses 2 '--attr: empty' --file file --attr ''
refuses 1 'nowhere.nix: No such file' --file nowhere.nix
refuses 1 'nix-build failed with status' --file file --attr nobody
echo "files are built"

# ---- flakes ----

flake one web1
flake two web1 web2.example.org
says 'would be built' -n --flake ./one
[[ ! -e result && ! -e one/flake.lock ]] || fail "--dry-run wrote something"
says '' --flake ./one
[ "$(cat result/host)" = web1 ] || fail "not the only host"
says '' --flake "path:$work/two#web2.example.org" -o other -L --option cores 1 -j 1 --show-trace
[ "$(cat other/host)" = web2.example.org ] || fail "not the host that was named"
(cd two && says '' --flake .#web1 -o ../other)
(cd two && says '' --flake '#web1' -o ../other)
refuses 2 'nixosConfigurations .*web1, web2.example.org.* ./two#HOST' --flake ./two
refuses 1 'nix failed' --flake ./two#web3
refuses 2 "host 'a\"b'" --flake './two#a"b'
refuses 2 "--flake '--option'" --flake --option
refuses 2 "--flake ''" --flake ''
refuses 1 'nix failed' --flake ./empty
refuses 1 'nix failed' --flake ./nowhere#web1
refuses 2 'mutually exclusive' --flake ./one --config configuration.nix
refuses 2 '--nixpkgs requires' --flake ./one --nixpkgs "$nixpkgs"
sed -i 's,small,bare,; s,nixosConfigurations,others,' two/flake.nix
refuses 1 'nix failed' --flake ./two
echo "flakes are built"

# ---- errors ----

ok=(--nixpkgs "$nixpkgs")
refuses 2 'unknown option "--nonsense"' "${ok[@]}" --nonsense
refuses 2 'needs a value' --nixpkgs
refuses 2 'unexpected argument "web1"' "${ok[@]}" web1
refuses 2 '--option cores needs two values' "${ok[@]}" --option cores
refuses 2 "--max-jobs 'many'" "${ok[@]}" -j many
refuses 1 'nowhere.nix: No such file' "${ok[@]}" --config nowhere.nix
refuses 2 'empty: not a regular file' "${ok[@]}" --config empty
refuses 1 '--nixpkgs ./nowhere: No such file' --nixpkgs ./nowhere
refuses 2 '--nixpkgs ./empty: .*nixos/default.nix' --nixpkgs ./empty
refuses 2 "--nixpkgs 'a b'" --nixpkgs 'a b'
refuses 1 'nix-build failed: nowhere not found in NIX_PATH; pass --nixpkgs channel:' --nixpkgs nowhere
refuses 1 'nix-build failed: nixpkgs not found in NIX_PATH; pass --nixpkgs channel:nixos-[0-9.]+ or a directory'
refuses 1 'nix-instantiate failed: nixpkgs not found' -n
echo '{' >broken.nix
refuses 1 'nix-build failed' "${ok[@]}" --config broken.nix
refuses 1 'nix-instantiate failed' "${ok[@]}" --config broken.nix -n
echo '{ test.extra = "echo it broke >&2; exit 3"; }' >broken.nix
refuses 1 'nix-build failed with status 1' "${ok[@]}" --config broken.nix
grep -q 'it broke' "$WORLD/stderr" || fail "the builder's words are not shown"
says "option 'sandbox' has invalid value 'nonsense'" "${ok[@]}" --option sandbox nonsense
echo '{ test.extra = "rm init"; }' >broken.nix
build "${ok[@]}" --config broken.nix -o noinit >stdout 2>stderr && fail "a system without init"
grep -q 'not a NixOS system.*init' stderr || { cat stderr >&2; fail "not said that it is no system"; }
[[ ! -s stdout && ! -L noinit ]] || fail "what is no system is printed or kept"
echo '{ }' >secret.nix
chmod 600 secret.nix
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
# If the sources are in a directory that the user nobody cannot read, this is skipped.
if [ -z "$no_loop" ] && "${nobody[@]}" ls "$nixpkgs" >listed 2>&1; then
  chmod 755 "$WORLD" "$work"
  "${nobody[@]}" "$DOMSTRAP" build "${ok[@]}" --config secret.nix -n 2>stderr && fail "unreadable"
  grep -q 'secret.nix: Permission denied' stderr || { cat stderr >&2; fail "not said that it cannot be read"; }
fi
# Result links.
refuses 1 'configuration.nix: already exists' "${ok[@]}" -o configuration.nix
ln -s /etc elsewhere
refuses 1 'elsewhere: already exists' "${ok[@]}" -o elsewhere
refuses 1 'nowhere: No such file' "${ok[@]}" -o nowhere/result
mkdir sealed
mount -t tmpfs -o ro none sealed
refuses 1 'sealed: Read-only file system' "${ok[@]}" -o sealed/result
umount sealed
# No Nix.
for words in '--config configuration.nix' '--config configuration.nix -n' '--flake ./one'; do
  # shellcheck disable=SC2086 # words
  use_path=$work/empty refuses 1 'not found in PATH; .*apt install.*--from' $words
done

# ---- ^C ----

echo '{ test.extra = "echo started >&2; sleep 300"; }' >slow.nix
for signal in INT TERM; do
  : >stderr # discard the messages of the previous command
  (
    trap - INT
    exec setsid "$DOMSTRAP" build "${ok[@]}" --config slow.nix -o slow >stdout 2>stderr </dev/null
  ) &
  pid=$!
  for ((i = 0; i < 200; i++)); do
    ! grep -q started stderr || break
    sleep 0.1
  done
  grep -q started stderr || { cat stderr >&2; fail "the slow build did not start"; }
  kill -s $signal $pid
  status=0
  wait $pid || status=$?
  [ "$status" = $((128 + $(kill -l $signal))) ] || fail "SIG$signal ended it with status $status"
  [[ ! -s stdout && ! -e slow ]] || fail "SIG$signal left a result"
  ! pgrep -s $pid >/dev/null || fail "SIG$signal left a program of Nix"
done
echo "signals end it"
