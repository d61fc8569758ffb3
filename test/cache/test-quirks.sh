#!/bin/bash
# Caches that differ from the manual, but that Nix accepts: compressed narinfos, URLs on other servers, unknown names of
# compressions, NARs compressed in several pieces, servers that are slow or require a password.
. "$(dirname "$0")/lib.sh"

system=$(build small)
fill "$work/c" "compression=zstd&secret-key=$work/secret" "$system"
mkdir "$out/local"
create g1 --system "$system" -o "$out/local" -q --no-sigs
opts=(--conf "$work/conf" --cache-dir none --system "$system" -o "$out" --no-sigs --trusted-key "$key")
serve "$work/c"

# ---- narinfos ----

modes=(absolute dotslash nocompression alias newfields encoded info-gzip info-x-gzip info-zstd info-xz info-identity)
! command -v brotli >/dev/null || modes+=(info-br)
for mode in "${modes[@]}"; do good "$mode" --from "$url/$mode"; done
refused 1 'info-bomb/[^ ]*narinfo: Content-Encoding gzip: more than 4194304 bytes' g1 "${opts[@]}" --from "$url/info-bomb"
refused 1 'info-cut/[^ ]*narinfo: Content-Encoding gzip: the gzip data is truncated' g1 "${opts[@]}" --from "$url/info-cut"
refused 1 'narinfo: Content-Encoding "compress" is not supported' g1 "${opts[@]}" --from "$url/info-compress"
refused 1 'URL "file:///etc/passwd.*expected http://' g1 "${opts[@]}" --from "$url/absfile"
refused 1 'URL "ftp://.*expected http://' g1 "${opts[@]}" --from "$url/absftp"
refused 1 'URL "http://u:p.*contains a user name or password' g1 "${opts[@]}" --from "$url/absuser"
cp -r "$work/c" "$work/away"
sed -i "s,^URL: ,URL: $url/plain/," "$work/away"/*.narinfo
: >"$requests"
refused 1 "URL in a file:// cache must be relative" g1 "${opts[@]}" --from "file://$work/away"
[ ! -s "$requests" ] || fail "a folder made it ask the network"

# ---- compression ----

fill "$work/none" "compression=none&secret-key=$work/secret" "$system"
packed() { # packed NAME COMPRESSION COMMAND
  local n u
  rm -rf "$work/p"
  cp -r "$work/none" "$work/p"
  chmod -R u+w "$work/p"
  for n in "$work"/p/*.narinfo; do
    u=$(sed -n 's/^URL: //p' "$n")
    bash -c "$3" <"$work/p/$u" >"$work/p/$u.x"
    sed -i -e "s,^URL: .*,URL: $u.x," -e "s/^Compression: .*/Compression: $2/" -e '/^File/d' "$n"
  done
}
try() { packed "$@"; good "$1" --from "file://$work/p"; }
too_much() { packed "$1" "$2" "$4"; refused 1 "supported are $3" g1 "${opts[@]}" --from "file://$work/p"; }
try zstd-frames zstd 'split -b 200000 --filter="zstd -qc"'
try zstd-skippable zstd 'printf "\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"; zstd -qc; printf "\x50\x2a\x4d\x18\x00\x00\x00\x00"'
try xz-streams xz 'split -b 200000 --filter="xz -qc"'
try xz-padded xz 'xz -qc; printf "\0\0\0\0"'
try gzip-members gzip 'split -b 200000 --filter="gzip -c"'
try bzip2-streams bzip2 'split -b 200000 --filter="bzip2 -c"'
try lzma lzma 'xz --format=lzma -qc'
try zstd-long27 zstd 'zstd --long=27 -qc'
try another-one xz 'zstd -qc'
too_much zstd-long28 zstd 'windows of up to 128 MiB' 'zstd --long=28 -qc'
too_much xz-dict512 xz 'dictionaries of up to 64 MiB' 'xz -9e --lzma2=dict=512MiB -qc'

# ---- time ----

# The first byte may take long, but later ones may not; the messages name the options.
good "late" --from "$url/late"
good "latebody" --from "$url/latebody"
printf 'answer-timeout = 1\nstall-timeout = 2\ntries = 2\n' >"$work/conf2"
opts2=(--conf "$work/conf2" "${opts[@]:2}")
refused 1 'no answer in 1 s \(answer-timeout in domstrap.conf\)' g1 "${opts2[@]}" --from "$url/silent"
refused 1 'no answer in 1 s \(answer-timeout in domstrap.conf\)' g1 "${opts2[@]}" --from "$url/late"
refused 1 'less than 100 bytes a second in 2 s \(stall-timeout in domstrap.conf\) \(2 tries\)' g1 "${opts2[@]}" --from "$url/stall"
refused 1 'a header line of the answer is over 100 KB' g1 "${opts[@]}" --from "$url/longheader"

# ---- passwords ----

host=${url#http://}
refused 1 'status 401.*"machine HOST login USER password PASSWORD" to ~/.netrc' g1 "${opts[@]}" --from "$url/auth"
good "a password in the URL" --from "http://user:secret@$host/auth"
mkdir -p "$work/nix" "$work/home/nix"
line='machine 127.0.0.1 login user password secret'
printf '%s\n' "$line" >"$work/nix/netrc"
printf '%s\n' "$line" >"$work/secrets"
chmod 600 "$work/nix/netrc" "$work/secrets"
NIX_CONF_DIR=$work/nix good "Nix's own netrc" --from "$url/auth"
printf 'netrc-file = %s/secrets\n' "$work" >"$work/nix/more.conf"
rm "$work/nix/netrc"
printf 'substituters = x # netrc-file = /nowhere\n!include more.conf\n' >"$work/nix/nix.conf"
NIX_CONF_DIR=$work/nix good "netrc-file of nix.conf, included" --from "$url/auth"
printf 'netrc-file = %s/secrets\n' "$work" >"$work/home/nix/nix.conf"
XDG_CONFIG_HOME=$work/home good "netrc-file of the user's nix.conf" --from "$url/auth"
NIX_CONFIG="netrc-file = $work/secrets" good "netrc-file of NIX_CONFIG" --from "$url/auth"
cp "$work/conf" "$work/conf3"
printf 'netrc-file = %s/secrets\n' "$work" >>"$work/conf3"
good "netrc-file of domstrap.conf" --from "$url/auth" --conf "$work/conf3"
# After a redirect, the password is sent to the same server, and to another one only if the netrc file has it.
good "redirected, a password in the URL" --from "http://user:secret@$host/moved"
good "redirected, netrc-file" --from "$url/moved" --conf "$work/conf3"
: >"$requests"
good "redirected away, a password in the URL" --from "http://user:secret@$host/away"
good "redirected away, netrc-file" --from "$url/away" --conf "$work/conf3"
grep -q '^away nar/.*with a password' "$requests" || { cat "$requests" >&2; fail "no password before the redirect"; }
grep -q '^plain nar/' "$requests" || { cat "$requests" >&2; fail "not redirected"; }
! grep -q '^plain .*with a password' "$requests" || { cat "$requests" >&2; fail "another host got a password by a redirect"; }
printf 'machine localhost login other password 2\n' >>"$work/secrets"
good "redirected away, netrc-file with that host" --from "$url/away" --conf "$work/conf3"
grep -q '^plain nar/.*with a password' "$requests" || { cat "$requests" >&2; fail "the other host got no password"; }
chmod 644 "$work/secrets"
good "a netrc-file that all can read" --from "$url/auth" --conf "$work/conf3"
grep -q '^warning: .*secrets: contains passwords.*(mode 644)' "$work/stderr" || { cat "$work/stderr" >&2; fail "no warning"; }
chmod 666 "$work/secrets"
refused 2 'netrc-file: .*secrets: another user can change it .*mode 666' g1 "${opts[@]:2}" --conf "$work/conf3" --from "$url/auth"
rm "$work/secrets"
refused 1 'netrc-file: .*secrets: No such file' g1 "${opts[@]:2}" --conf "$work/conf3" --from "$url/auth"
# Only the cache gets it, not other servers that its narinfos refer to.
: >"$requests"
rm "$work/port"
ELSEWHERE=1 serve "$work/c"
good "NARs elsewhere" --from "http://user:secret@${url#http://}/auth"
grep -q '^auth .*narinfo with a password$' "$requests" || fail "the cache got no password"
grep -q '^plain nar/.*zst$' "$requests" || { cat "$requests" >&2; fail "no NAR from elsewhere"; }
! grep -q '^plain nar/.*with a password' "$requests" || fail "another host got the password"

# ---- TLS ----

if command -v openssl >/dev/null; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$work/tls.key" -out "$work/tls.crt" 2>/dev/null
  rm "$work/port"
  python3 - "$work/tls.crt" "$work/tls.key" "$work/c" >"$work/port" 2>"$work/tls.log" <<-'PYTHON' &
	import functools, http.server, ssl, sys
	cert, key, root = sys.argv[1:]
	handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
	context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
	context.load_cert_chain(cert, key)
	server.socket = context.wrap_socket(server.socket, server_side=True)
	print(server.server_port, flush=True)
	server.serve_forever()
	PYTHON
  pids+=($!)
  for _ in {1..100}; do [ -s "$work/port" ] && break || sleep 0.1; done
  tls=https://localhost:$(cat "$work/port")
  # A file that only its owner, not the network process, can read.
  chmod 600 "$work/tls.crt"
  for v in CURL_CA_BUNDLE NIX_SSL_CERT_FILE SSL_CERT_FILE; do
    export $v="$work/tls.crt"
    good "TLS, $v" --from "$tls"
    unset $v
  done
  refused 1 'certificate' g1 "${opts[@]}" --from "$tls"
  CURL_CA_BUNDLE=/nowhere refused 1 '/nowhere' g1 "${opts[@]}" --from "$tls"
fi

# ---- parameters ----

for p in priority=3 'want-mass-query=true&priority=1' compression=xz trusted=false 'secret-key=/nowhere&parallel-compression=true' store=/nix/store; do
  good "?$p" --from "file://$work/c?$p"
done
refused 2 'trusted=true is not supported.*--trusted-key' g1 "${opts[@]}" --from "file://$work/c?trusted=true"
refused 2 'unknown parameter .frob.' g1 "${opts[@]}" --from "file://$work/c?priority=1&frob=2"
refused 2 'unknown parameter .store.' g1 "${opts[@]}" --from "file://$work/c?store=/elsewhere"
refused 2 'priority .x. is not a number' g1 "${opts[@]}" --from "file://$work/c?priority=x"
refused 2 's3://b: not supported; .*https://b.s3.eu-west-1.amazonaws.com/sub/dir$' g1 "${opts[@]}" --from 's3://b/sub/dir?region=eu-west-1&profile=p'
refused 2 's3://b: not supported; .*https://minio.example.org/b$' g1 "${opts[@]}" --from 's3://b?endpoint=minio.example.org'
echo "test-quirks.sh: ok"
