# Functions for the tests of caches, in addition to those for create. Sourced first.
# shellcheck shell=bash source-path=SCRIPTDIR
# shellcheck disable=SC2034 # ../world.sh reads it
[ ! -d /dev/shm ] || world_in=/dev/shm
. "$(dirname "${BASH_SOURCE[0]}")/../create/lib.sh"
caches=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
pids=()
stop_servers() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; at_end; }
trap stop_servers EXIT

# No test contacts other machines, and none reads the host's configuration.
printf 'tries = 3\nstall-timeout = 2\nconnect-timeout = 5\ncaches = file://%s/none\n' "$work" >"$work/conf"
nix-store --generate-binary-cache-key test-1 "$work/secret" "$work/public"
key=$(cat "$work/public")

large() {
  nix-build -Q --no-out-link "$caches/large.nix" 2>"$work/build.log" || { cat "$work/build.log" >&2; fail "nix-build large"; }
}

# fill DIR PARAMETERS PATH: make a binary cache with real Nix
fill() {
  nix copy --to "file://$1?$2" "$3" 2>"$work/copy.log" || { cat "$work/copy.log" >&2; fail "nix copy $2"; }
}

# from ARGUMENT...: create from a cache, with the tests' configuration
from() { create --conf "$work/conf" --cache-dir none "$@"; }

# good WHAT ARGUMENT...: create g1 in $out succeeds, with the same image as $out/local, which was made from the local
# store; opts are the options for all calls of a test
good() {
  local what=$1
  shift
  create g1 "${opts[@]}" -q "$@" 2>"$work/stderr" || { cat "$work/stderr" >&2; fail "$what"; }
  same_image "$out/g1.img" "$out/local/g1.img" || fail "$what: another image"
  rm "$out"/g1.*
  echo "good: $what"
}

# serve DIR: start the hostile server; sets url, and requests, its log
serve() {
  requests=$work/requests
  : >"$requests"
  TOP=${TOP-} python3 "$caches/server.py" "$1" "$requests" >"$work/port" 2>"$work/server.log" &
  pids+=($!)
  for _ in {1..100}; do [ -s "$work/port" ] && break || sleep 0.1; done
  url=http://127.0.0.1:$(cat "$work/port")
}

# nginx_serve DIR: start nginx; sets url
nginx_serve() {
  command -v nginx >/dev/null || skip "no nginx"
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$work/nginx.conf" <<-CONF
	daemon off; master_process off;
	pid $work/nginx.pid;
	error_log $work/nginx.log;
	events { worker_connections 256; }
	http { access_log off; client_body_temp_path $work/t; proxy_temp_path $work/t; fastcgi_temp_path $work/t;
	  uwsgi_temp_path $work/t; scgi_temp_path $work/t;
	  server { listen 127.0.0.1:$port; root $1; } }
	CONF
  nginx -c "$work/nginx.conf" >"$work/nginx.out" 2>&1 &
  pids+=($!)
  url=http://127.0.0.1:$port
  for _ in {1..100}; do ! python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null || return 0; sleep 0.1; done
  cat "$work/nginx.out" "$work/nginx.log" >&2
  fail "nginx does not start"
}

# believed IMAGE SYSTEM: real Nix verifies the image, and a signature by the key for each path of the system
believed() {
  clean "$1"
  mkdir "$work/guest"
  dd if="$1" of="$work/guest.fs" bs=1M skip=1 conv=sparse status=none
  debugfs -R "rdump /nix $work/guest" "$work/guest.fs" >/dev/null 2>&1
  nix-store --store "$work/guest" --verify --check-contents >"$work/verify" 2>&1 || { cat "$work/verify"; fail "nix-store --verify"; }
  ! grep -Ev '^(reading|checking) ' "$work/verify" || fail "nix-store --verify says something"
  nix store verify --store "$work/guest" --trusted-public-keys "$key" --sigs-needed 1 -r "$2" >"$work/verify" 2>&1 ||
    { cat "$work/verify"; fail "nix store verify"; }
}

# without_nix COMMAND...: run it without Nix's programs in PATH; from now on, there is no store on the host
without_nix() {
  [ -d "$work/bare" ] || { mkdir "$work/bare"; mount --bind "$work/bare" /nix; }
  PATH=$work/bare "$@"
}
