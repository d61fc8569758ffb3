#!/bin/bash
# Caches that fail or send wrong data: the result is one line that names path and cache or, if another cache has the path,
# the correct image. Nothing is left behind.
. "$(dirname "$0")/lib.sh"

system=$(build medium)
fill "$work/c" "compression=zstd&secret-key=$work/secret" "$system"
digits=${system#/nix/store/}
export TOP=${digits:0:32}.narinfo
serve "$work/c"
mkdir "$out/local"
create g1 --system "$system" -o "$out/local" -q --no-sigs
opts=(--conf "$work/conf" --cache-dir none --system "$system" -o "$out" --trusted-key "$key" --no-sigs)

bad() { # bad STATUS MODE WORDS ARGUMENT...
  local status=$1 mode=$2 words=$3
  shift 3
  refused "$status" "$words" g1 "${opts[@]}" --from "$url/$mode" "$@"
  # The same with a second cache, which is correct and must be used.
  [[ $mode = nar-* || $mode = hugesize || $mode = cycle || $mode = down ]] || good "$mode, then a good one" --from "$url/$mode" --from "$url/plain"
}

good "nothing wrong" --from "$url/plain"
good "the first answer breaks off" --from "$url/flaky"
good "429, then 503" --from "$url/busy"
good "503 for narinfos" --from "$url/infobusy"
good "redirects within http" --from "$url/redirect"
good "a compression that has another name" --from "$url/unknown"

path="/nix/store/[0-9a-z]{32}-.* from $url"
bad 1 stall "$path/stall: .*less than 100 bytes a second in 2 s .stall-timeout"
bad 1 truncate "$path/truncate: .*"
bad 4 short "$path/short: .*its file has [0-9]+ bytes, expected [0-9]+|truncated"
bad 4 longer "$path/longer: .*larger than expected"
bad 4 endless "$path/endless: .*larger than expected"
bad 4 flip "$path/flip: .*expected|damaged"
bad 4 swap "$path/swap: .*expected|larger|truncated"
bad 1 gone "$path/gone: .*404"
bad 1 error "$path/error: .*500"
bad 1 loop "$path/loop: .*redirects"
bad 1 tofile "$path/tofile: .*[Pp]rotocol"
bad 1 toftp "$path/toftp: .*[Pp]rotocol"
bad 4 bomb "$path/bomb: .*larger"
bad 4 empty "$path/empty: .*(truncated|expected)"
bad 4 otherinfo "otherinfo: narinfo: describes"
bad 1 hugeinfo "hugeinfo/.*larger than expected, 4194304 bytes"
bad 1 badurl "badurl: narinfo: URL .*out of the cache"
bad 1 elsewhere "$path/elsewhere: http://127.0.0.1:1/x: "
bad 4 hugesize "signature"
bad 1 badly-named "$path/badly-named: unknown compression"
bad 4 unsigned "unsigned: not signed"
bad 1 cycle "refers to itself" --no-check-sigs
bad 1 down "down.*500"
for how in order twice dots slash padding trailing deep short magic; do
  bad 1 "nar-$how" "$path/nar-$how: NAR, byte [0-9]+: " --no-check-sigs
done
refused 1 'no-cache-here is not a binary cache' g1 "${opts[@]}" --from "$url/plain/no-cache-here"
refused 1 'onnect' g1 "${opts[@]}" --from http://127.0.0.1:1
refused 2 's3://' g1 "${opts[@]}" --from s3://bucket
refused 2 'unsupported cache URL' g1 "${opts[@]}" --from ftp://127.0.0.1/x
refused 2 'not a public key' g1 "${opts[@]}" --from "$url/plain" --trusted-key nonsense
refused 1 "$work/c has no Nix store; it is a binary cache: use file://" g1 "${opts[@]}" --from "$work/c"
printf 'trusted-keys = nonsense\n' >"$work/conf-bad"
refused 1 "$work/conf-bad: trusted-keys: .nonsense. is not a public key" g1 --conf "$work/conf-bad" --system "$system" \
  -o "$out" --from "$url/plain"
refused 1 "not found in $url/plain" g1 "${opts[@]}" --from "$url/plain" --system /nix/store/00000000000000000000000000000000-x
# On a terminal, a warning has its own line, although the progress bar is being drawn.
words="$DOMSTRAP create g1 ${opts[*]} --from $url/flip --from $url/plain"
TERM=xterm script -qec "$words" "$work/typescript" >/dev/null || { cat "$work/typescript"; fail "on a terminal"; }
python3 - "$work/typescript" <<-'PY' || fail "a warning is glued to the bar"
	import re, sys
	seen = open(sys.argv[1], "rb").read()
	places = [m.start() for m in re.finditer(rb"(\x1b\[1;33m)?warning: ", seen)]
	assert places and b"% " in seen and all(seen[:p].endswith((b"\n", b"\r\x1b[K")) for p in places)
	PY
rm "$out"/g1.*
# A password is sent to the server, and never printed.
with=${url/:\/\//:\/\/user:secret@}
create g1 "${opts[@]}" -v --from "$with/plain" 2>"$work/stderr" || { cat "$work/stderr"; fail "a URL with a password"; }
grep -q "from $url/plain" "$work/stderr" || fail "-v does not say where from"
rm "$out"/g1.*
for mode in down error gone unsigned 'plain?x=y' no/such; do
  ! create g1 "${opts[@]}" -v --from "$with/$mode" 2>>"$work/stderr" || fail "$mode"
done
! grep secret "$work/stderr" || fail "a message has the password"

# A directory's name may need escapes in a URL; other characters stand for themselves.
cp -r "$work/c" "$work/a b%2?"
good "%20, %3F" --from "file://$work/a%20b%2%3f/?priority=3"
refused 2 'contain a NUL' g1 "${opts[@]}" --from "file://$work/c%00"
refused 1 'No such file' g1 "${opts[@]}" --from "file://$work/a%2520b"

# A name server that does not answer: ^C still ends the command at once.
if mount --bind "$work/conf" /etc/resolv.conf 2>/dev/null; then
  printf 'nameserver 127.0.0.153\n' >"$work/conf.dns"
  umount /etc/resolv.conf
  mount --bind "$work/conf.dns" /etc/resolv.conf
  python3 -c 'import socket, sys, time; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.153", 53)); time.sleep(60)' &
  pids+=($!)
  sleep 0.5
  "$DOMSTRAP" create g1 "${opts[@]}" --from http://cache.example.org -q </dev/null 2>"$work/stderr" &
  pid=$!
  sleep 1
  start_ns=$(date +%s%N)
  kill -INT $pid 2>/dev/null || echo "no name server of our own here"
  wait $pid || true
  took=$((($(date +%s%N) - start_ns) / 1000000))
  [ "$took" -lt 1000 ] || fail "^C took $took ms"
  echo "^C while a name is looked up: $took ms"
  umount /etc/resolv.conf
fi

# Keys: none, another one, and unsigned paths.
nix-store --generate-binary-cache-key other-1 "$work/other" "$work/other.pub"
refused 4 'no valid signature by a trusted key .signed by test-1' g1 --conf "$work/conf" --system "$system" -o "$out" --from "$url/plain"
refused 4 'no valid signature' g1 --conf "$work/conf" --system "$system" -o "$out" --from "$url/plain" --trusted-key "$(cat "$work/other.pub")"
create g1 "${opts[@]}" --no-check-sigs --from "$url/unsigned" -q 2>"$work/stderr"
grep -q '^warning: signatures are not checked' "$work/stderr" || fail "no warning of unchecked signatures"
same_image "$out/g1.img" "$out/local/g1.img" || fail "unsigned: another image"
rm "$out"/g1.*

# Content-addressed paths need no signature; their contents are verified.
strange=$(build strange)
fill "$work/ca" "compression=none&secret-key=$work/secret" "$strange"
sed -i '/^CA: /,$b; /^Sig: /!b' "$work/ca"/*.narinfo
n=0
for f in $(grep -l '^CA: ' "$work/ca"/*.narinfo); do sed -i '/^Sig: /d' "$f"; n=$((n + 1)); done
[ "$n" -ge 4 ] || fail "only $n content-addressed paths"
from g2 --system "$strange" -o "$out" -q --no-sigs --trusted-key "$key" --from "file://$work/ca"
create g2 --system "$strange" -o "$out/local" -q --no-sigs
same_image "$out/g2.img" "$out/local/g2.img" || fail "content-addressed: another image"
rm "$out"/g2.*
echo "good: $n paths by their contents"

for f in $(grep -l '^CA: \(text\|fixed:sha256\)' "$work/ca"/*.narinfo); do
  cp -r "$work/ca" "$work/lie"
  # Other contents with a correct NAR hash: only the content address does not match.
  echo lie >"$work/lie.txt"
  nix-store --dump "$work/lie.txt" >"$work/lie/nar/lie.nar"
  sed -i -e '/^File/d' -e 's,^URL: .*,URL: nar/lie.nar,' \
    -e "s,^NarHash: .*,NarHash: sha256:$(nix-hash --type sha256 --base32 --flat "$work/lie/nar/lie.nar")," \
    -e "s,^NarSize: .*,NarSize: $(stat -c %s "$work/lie/nar/lie.nar")," "$work/lie/${f##*/}"
  refused 4 "content hash" g2 --conf "$work/conf" --system "$strange" -o "$out" --trusted-key "$key" --from "file://$work/lie"
  rm -rf "$work/lie"
done

# Damaged NARs: the message names path, cache, and the expected hash, also for paths that are read early. The next cache or
# store is used, with a warning for each path.
fill "$work/none" "compression=none&secret-key=$work/secret" "$system"
cp -r "$work/none" "$work/broken"
for f in "$work"/broken/nar/*; do
  chmod u+w "$f"
  flip "$f" -20
done
sed -i '/^File/d' "$work"/broken/*.narinfo
refused 4 "^domstrap: $system from file://$work/broken: its NAR hash is sha256:[0-9a-z]{52}, expected sha256:[0-9a-z]{52}\$" \
  g1 "${opts[@]}" --from "file://$work/broken"
for next in "file://$work/none" /; do
  good "broken, then $next" --from "file://$work/broken?priority=0" --from "$next"
  [ "$(grep -c '^warning: .* expected .*; trying the next cache$' "$work/stderr")" = "$(find "$work"/none -name '*.narinfo' | wc -l)" ] ||
    { cat "$work/stderr"; fail "not every path's trouble was told"; }
done

# Fields that no signature covers, but that would break the guest's Nix.
cp -r "$work/none" "$work/ca-bad"
echo 'CA: foo:bar' >>"$work/ca-bad/$TOP"
refused 1 "narinfo: CA .foo:bar.: not a content address" g1 "${opts[@]}" --from "file://$work/ca-bad"
cp -r "$work/none" "$work/sigs"
sed -i 's/^Sig: .*/Sig: nonsense\n&\nSig: a:b/' "$work"/sigs/*.narinfo
from g1 --system "$system" -o "$out" -q --trusted-key "$key" --from "file://$work/sigs"
from g2 --name g1 --system "$system" -o "$work" -q --trusted-key "$key" --from "file://$work/none"
for f in "$out/g1.img" "$work/g2.img"; do
  dd if="$f" of="$f.fs" bs=1M skip=1 conv=sparse status=none
  debugfs -R "dump /nix/var/nix/db/db.sqlite $f.db" "$f.fs" >/dev/null 2>&1
done
cmp "$out/g1.img.db" "$work/g2.img.db" || fail "what is no signature is in the database"
rm "$out"/g1.* "$work"/g2.*

# Links in a cache's directory must not lead out of it.
cp -r "$work/c" "$work/link"
nar=$(cd "$work/link" && ls nar/* | head -n 1)
ln -sf /etc/passwd "$work/link/$nar"
refused 1 "from file://$work/link: " g1 "${opts[@]}" --from "file://$work/link"
