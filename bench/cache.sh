#!/bin/bash
# cache.sh [WORKDIR]: time creating a guest from binary caches on loopback (nginx), zstd and xz, compared with the manual
# way: "nix copy --from CACHE --to" a mounted image; making and mounting the file system is not counted. The closure is that
# of closure.sh; interleaved rounds, medians, warm caches, everything synced. Needs root for the mount, and 10 GB in WORKDIR
# (default: build/bench).
#   ROUNDS=3 COMPRESSIONS="zstd xz" BASE=PROGRAM (another domstrap, in the same rounds) PEER=no (without nix copy)
. "$(dirname "$0")/common.sh"
domstrap=$(built domstrap)
rounds=${ROUNDS:-3}
read -ra compressions <<<"${COMPRESSIONS:-zstd xz}"
system=$("$here/closure.sh" "$work")
export NIX_CONFIG='experimental-features = nix-command'
[ -s "$work/sec" ] || nix-store --generate-binary-cache-key bench-1 "$work/sec" "$work/pub"
for how in "${compressions[@]}"; do
  [ -e "$work/cache-$how.done" ] || {
    echo "cache.sh: making the $how cache" >&2
    nix copy --to "file://$work/cache-$how?compression=$how&secret-key=$work/sec" "$system" 2>"$work/copy.log"
    : >"$work/cache-$how.done"
  }
done

run=$(mktemp -d "$work/run.XXXXXX")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$run/nginx.conf" <<CONF
daemon off; master_process off; pid $run/nginx.pid; error_log $run/nginx.log; worker_processes 1;
events { worker_connections 256; }
http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  client_body_temp_path $run/t; proxy_temp_path $run/t; fastcgi_temp_path $run/t; uwsgi_temp_path $run/t; scgi_temp_path $run/t;
  server { listen 127.0.0.1:$port; root $work; } }
CONF
nginx -c "$run/nginx.conf" 2>/dev/null &
server=$!
: >"$run/conf"
trap 'umount "$run/mnt" 2>/dev/null || true; kill $server 2>/dev/null || true; rm -rf "$run"' EXIT
sleep 1

# timed NAME COMMAND...
timed() {
  sync
  measured "$@" >"$run/out" 2>&1 || { tail -n 20 "$run/out" >&2; return 1; }
}
ours() { # PROGRAM NAME COMPRESSION
  rm -f "$run"/g.*
  timed "$2-$3" "$1" create g --system "$system" -o "$run" -q --conf "$run/conf" --cache-dir none \
    --from "http://127.0.0.1:$port/cache-$3" --trusted-key "$(cat "$work/pub")"
}
# Nix writes to an empty ext4; making and mounting it is not counted, the final sync is.
peer() {
  rm -f "$run/peer.img"
  truncate -s 6G "$run/peer.img"
  mke2fs -q -t ext4 -E lazy_itable_init=0 "$run/peer.img"
  mkdir -p "$run/mnt"
  mount -o loop "$run/peer.img" "$run/mnt" || return 1
  timed "nix-copy-$1" sh -c "nix copy --from http://127.0.0.1:$port/cache-$1 --to $run/mnt --option trusted-public-keys '$(cat "$work/pub")' $system && umount $run/mnt"
}

for ((r = 0; r < rounds; r++)); do
  for how in "${compressions[@]}"; do
    [ -z "${BASE:-}" ] || ours "$BASE" base "$how"
    ours "$domstrap" domstrap "$how"
    [ "${PEER:-}" = no ] || peer "$how" || { echo "cache.sh: no peer: cannot mount a loop image here" >&2; umount "$run/mnt" 2>/dev/null || true; }
  done
done
printf '%-16s %8s %8s %8s %8s\n' what wall_s cpu_s cores peak_MB
for f in "$work"/times.*; do
  name=${f##*/times.}
  wall=$(column "$name" 1 | median) cpu=$(column "$name" 2 | median)
  printf '%-16s %8.2f %8.2f %8.2f %8.0f\n' "$name" "$wall" "$cpu" "$(awk "BEGIN {print $cpu / $wall}")" \
    "$(column "$name" 3 | awk '{print $1 / 1024}' | median)"
done
