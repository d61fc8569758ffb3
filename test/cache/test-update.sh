#!/bin/bash
# "update --from": a guest that is off gets its next generation from caches. The image is bit for bit the one made from the
# local store. Only paths that the guest lacks are requested and fetched. If a cache fails or sends wrong data, on ^C and if
# a disk is full, the contents of the image do not change.
. "$(dirname "$0")/lib.sh"
export SOURCE_DATE_EPOCH=1700000000

generation() {
  nix-build -Q --no-out-link "$caches/../update/system.nix" --arg n "$1" 2>"$work/build.log" ||
    { cat "$work/build.log" >&2; fail "generation $1"; }
}
old=$(generation 1) new=$(generation 2) large=$(large)
create base --system "$old" -o "$work" -q --no-sigs --vif none --size 500M
put() { cp --sparse=always "$work/base.img" "$out/g.img"; }
update() { "$DOMSTRAP" update "$out/g.img" --conf "$work/conf" --cache-dir none "$@" </dev/null; }
for s in "$new" "$large"; do
  put
  update --system "$s" --no-sigs -q
  clean "$out/g.img"
  mv "$out/g.img" "$work/local-${s##*/}.img"
done
lacking=$(comm -13 <(nix-store -qR "$old" | sort) <(nix-store -qR "$new" | sort) | wc -l)
[ "$lacking" -ge 3 ] || fail "only $lacking paths are new"

# made WHAT SYSTEM ARGUMENT...: update gives the same image as from the local store
made() {
  local what=$1 system=$2
  shift 2
  put
  update --system "$system" --no-sigs --trusted-key "$key" -q "$@" 2>"$work/stderr" || { cat "$work/stderr" >&2; fail "$what"; }
  same_image "$out/g.img" "$work/local-${system##*/}.img" || fail "$what: another image"
  echo "same: $what"
}

for how in zstd xz none; do
  for s in "$new" "$large"; do fill "$work/$how" "compression=$how&compression-level=1&secret-key=$work/secret" "$s"; done
  made "a folder, $how" "$new" --from "file://$work/$how"
done
made "xz, large ones" "$large" --from "file://$work/xz"
made "zstd, one thread" "$large" --from "file://$work/zstd" -j 1
nginx_serve "$work"
made "nginx" "$new" --from "$url/zstd"
made "nginx, large ones, 64 at once" "$large" --from "$url/zstd" --jobs 64 -j 16
digits=${new#/nix/store/} digits=${digits:0:32}
ln -s "local-${new##*/}.img" "$work/local-$digits.img"
made "by its digits" "$digits" --from "$url/xz"
mkdir "$work/half"
cp -r "$work/zstd"/nix-cache-info "$work/zstd"/nar "$work/half"
for f in "$work"/zstd/*.narinfo; do grep -q '^StorePath: .*config-2$' "$f" || cp "$f" "$work/half"; done
made "one lacks a path, another has it" "$new" --from "$url/half" --from "$url/xz?priority=90"
made "one lacks a path, the local store has it" "$new" --from "$url/half?priority=0" --from /

# Only missing paths are requested, and nothing if the guest has the system.
TOP=$digits.narinfo
SPARE="$TOP $(sed -n 's/^URL: //p' "$work/zstd/$TOP")"
export TOP SPARE
serve "$work/zstd"
made "from a server that counts" "$new" --from "$url/plain"
[ "$(grep -c narinfo "$requests") $(grep -c nar/ "$requests")" = "$lacking $lacking" ] ||
  { cat "$requests"; fail "not just the $lacking lacking paths were fetched"; }
: >"$requests"
update --system "$old" --trusted-key "$key" --from "$url/plain" -q
[ "$(cat "$requests")" = "plain nix-cache-info" ] || { cat "$requests"; fail "a system that the guest has was asked for"; }
"$DOMSTRAP" generations "$out/g.img" --json | grep -q '"generation": 3' || fail "no generation 3"
clean "$out/g.img"
put
: >"$requests"
update --system "$new" --trusted-key "$key" --from "$url/plain" --dry-run --json >"$work/json"
[ "$(python3 -c 'import json, sys; print(len(json.load(sys.stdin)["addedPaths"]))' <"$work/json")" = "$lacking" ] ||
  { cat "$work/json"; fail "--dry-run --json"; }
same_image "$out/g.img" "$work/base.img" || fail "--dry-run writes"
[ "$(grep -c nar/ "$requests")" = 1 ] || { cat "$requests"; fail "--dry-run fetches more than the system itself"; }

# Kept downloads are used for the second guest.
for _ in 1 2; do
  put
  : >"$requests"
  "$DOMSTRAP" update "$out/g.img" --conf "$work/conf" --system "$new" --trusted-key "$key" --from "$url/plain" -q \
    --no-sigs --cache-dir "$work/keep" </dev/null
  same_image "$out/g.img" "$work/local-${new##*/}.img" || fail "kept: another image"
done
[ "$(cat "$requests")" = "plain nix-cache-info" ] || { cat "$requests"; fail "what was kept was fetched again"; }

# ---- refused: the contents have not changed ----

visible() { list "$out/g.img" "$start" /; }
put
visible >"$work/before"
unchanged() { # WHAT
  clean "$out/g.img"
  visible >"$work/after"
  same "$work/before" "$work/after" "$1: something in the image has changed"
  [ "$(ls -A "$out")" = g.img ] || fail "$1: files are left: $(ls -A "$out")"
}

# refuse STATUS WORDS ARGUMENT...
refuse() {
  local status=$1 words=$2 got=0
  shift 2
  update -q "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$status" ] || { cat "$work/stderr" >&2; fail "status $got, not $status: update $*"; }
  grep -Eq -- "$words" "$work/stderr" || { cat "$work/stderr" >&2; fail "not said: $words: update $*"; }
  [ "$(grep -vc '^warning: ' "$work/stderr") $(wc -c <"$work/stdout")" = "1 0" ] || { cat "$work/stderr" >&2; fail "not one line: update $*"; }
  unchanged "$*"
  echo "$got: $(cat "$work/stderr")"
}

bad() { # bad STATUS MODE WORDS ARGUMENT...: fails; with a second, correct cache it succeeds
  local status=$1 mode=$2 words=$3
  shift 3
  refuse "$status" "$words" --system "$new" --trusted-key "$key" --from "$url/$mode" "$@"
  case $mode in nar-* | cycle) return ;; esac
  made "$mode, then a good one" "$new" --from "$url/$mode" --from "$url/plain" "$@"
  put
}
path="/nix/store/[0-9a-z]{32}-.* from $url"
bad 1 stall "$path/stall: .*stall-timeout"
bad 1 truncate "$path/truncate: "
bad 4 short "$path/short: "
bad 4 longer "$path/longer: .*larger than expected"
bad 4 flip "$path/flip: .*(expected|damaged)"
bad 4 swap "$path/swap: .*(expected|larger|truncated)"
bad 1 gone "$path/gone: .*404"
bad 1 error "$path/error: .*500"
bad 1 tofile "$path/tofile: .*[Pp]rotocol"
bad 4 bomb "$path/bomb: .*larger"
bad 4 unsigned "unsigned: not signed"
bad 1 cycle "refers to itself" --no-check-sigs
for how in order dots padding trailing magic; do bad 1 "nar-$how" "NAR, byte [0-9]+: " --no-check-sigs; done
refuse 4 'no valid signature' --system "$new" --from "$url/plain"
refuse 1 "not found in $url/plain" --system /nix/store/00000000000000000000000000000000-x --from "$url/plain"
refuse 2 'not a NixOS system' --system "$(nix-store -qR "$new" | grep config-2)" --trusted-key "$key" --from "$url/plain"
refuse 2 '--from auto .*mutually exclusive' --system "$new" --from auto --from "$url/plain"

# A wrong hash of a large path, and of a small one: noticed late, when most other data is written to free blocks already.
for name in large-3 small-7; do
  rm -rf "$work/lie"
  cp -r "$work/none" "$work/lie"
  nar=$(sed -n 's/^URL: //p' "$(grep -l "^StorePath: .*-$name\$" "$work"/lie/*.narinfo)")
  chmod u+w "$work/lie/$nar"
  flip "$work/lie/$nar" -60
  refuse 4 "-$name from file://$work/lie: .*expected" --system "$large" --trusted-key "$key" --from "file://$work/lie"
  made "a bad $name, then a good one" "$large" --from "file://$work/lie" --from "file://$work/zstd?priority=90"
  put
done

# ^C.
for mode in stall slow; do
  "$DOMSTRAP" update "$out/g.img" --conf "$work/conf" --system "$large" --trusted-key "$key" --from "$url/$mode" --cache-dir none -q \
    </dev/null 2>"$work/stderr" &
  pid=$!
  sleep 1
  kill -INT $pid
  status=0
  wait $pid || status=$?
  [ "$status" = 130 ] || { cat "$work/stderr"; fail "^C with $mode: status $status"; }
  unchanged "^C with $mode"
done

# No space left: in the guest's file system, noticed before and during the copy, and in the host's.
create tight --system "$old" -o "$work" -q --no-sigs --vif none --size 60M
cp --sparse=always "$work/tight.img" "$out/g.img"
visible >"$work/before"
refuse 1 'not enough space: NARs of .* to add, .* free' --system "$large" --trusted-key "$key" --from "$url/plain"
# shellcheck disable=SC2016 # the builder's variables
links=$(nix-build -Q --no-out-link --expr 'let old = builtins.storePath "'"$old"'"; in derivation {
  name = "nixos-system-many"; system = builtins.currentSystem; builder = "/bin/sh"; PATH = "/usr/bin:/bin"; inherit old;
  args = [ "-euc" "cp -a $old $out; chmod -R u+w $out; mkdir $out/d; cd $out/d; for i in $(seq 14000); do echo $i >$i; done" ]; }')
fill "$work/zstd" "compression=zstd&secret-key=$work/secret" "$links"
refuse 1 'too small for all|not enough inodes' --system "$links" --trusted-key "$key" --from "file://$work/zstd"
if mkdir "$WORLD/mnt" && mount -t tmpfs -o size=30m tmpfs "$WORLD/mnt" 2>/dev/null; then
  out=$WORLD/mnt
  put
  visible >"$work/before"
  refuse 1 'No space left' --system "$large" --trusted-key "$key" --from "file://$work/zstd"
  out=$WORLD/out
fi

# Real Nix verifies the signatures, and finds nothing wrong.
create g --system "$old" -o "$out" -q --force --vif none --size 500M --conf "$work/conf" --no-sigs
update --system "$large" --trusted-key "$key" --from "file://$work/zstd" -q
believed "$out/g.img" "$large"

# On a host without Nix.
put
without_nix update --system "$large" --trusted-key "$key" --no-sigs -q --from "$url/plain"
same_image "$out/g.img" "$work/local-${large##*/}.img" || fail "without Nix: another image"
put
printf 'caches = %s/plain\ntrusted-keys = %s\n' "$url" "$key" >"$work/conf"
without_nix update --system "$digits" --no-sigs -q
same_image "$out/g.img" "$work/local-${new##*/}.img" || fail "without Nix, as configured: another image"
echo "same: without Nix"
