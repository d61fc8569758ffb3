#!/bin/bash
# Caches made by real Nix, in every compression that it can write, as a directory and from nginx: the image is bit for bit
# the one made from the local store, and real Nix finds nothing wrong in it.
. "$(dirname "$0")/lib.sh"

system=$(build small)
strange=$(build strange)
large=$(large)
mkdir "$out/local"
create g1 --system "$system" -o "$out/local" -q --no-sigs
create g2 --system "$large" -o "$out/local" -q --no-sigs --layout split
create g3 --system "$strange" -o "$out/local" -q --no-sigs

# made WHAT NAME SYSTEM ARGUMENT...
made() {
  local what=$1 name=$2 system=$3 f
  shift 3
  from "$name" --system "$system" -o "$out" -q --trusted-key "$key" --no-sigs "$@"
  for f in "$out/$name"*; do same_image "$f" "$out/local/${f##*/}" 2>"$work/cmp" || [[ $f = *.cfg ]] || { cat "$work/cmp"; fail "$what: ${f##*/}"; }; done
  rm "$out/$name"*
  echo "same: $what"
}

for how in none xz zstd bzip2 gzip br lz4; do
  fill "$work/$how" "compression=$how&secret-key=$work/secret" "$system"
  grep -hq "^Compression: $how" "$work/$how"/*.narinfo || fail "Nix wrote no $how"
  made "$how" g1 "$system" --from "file://$work/$how"
done
# Decoders that need much memory.
for how in xz zstd; do
  fill "$work/$how-most" "compression=$how&compression-level=$([ $how = xz ] && echo 9 || echo 22)&secret-key=$work/secret" "$system"
  made "$how, highest level" g1 "$system" --from "file://$work/$how-most"
done
fill "$work/zstd" "compression=zstd&secret-key=$work/secret" "$strange"
made "strange ones" g3 "$strange" --from "file://$work/zstd"
for how in zstd xz; do
  fill "$work/$how" "compression=$how&compression-level=1&secret-key=$work/secret" "$large"
  made "$how, large ones" g2 "$large" --layout split --from "file://$work/$how"
done
made "one thread" g2 "$large" --layout split --from "file://$work/zstd" -j 1
nginx_serve "$work"
made "nginx, xz, large ones" g2 "$large" --layout split --from "$url/xz"
made "nginx, one download at once" g2 "$large" --layout split --from "$url/zstd" --jobs 1
made "nginx, 64 at once, 16 threads" g2 "$large" --layout split --from "$url/zstd" --jobs 64 -j 16
digits=${large#/nix/store/}
made "by its digits" g2 "${digits:0:32}" --layout split --from "$url/zstd"
made "from a store and a cache" g2 "$large" --layout split --from / --from "$url/zstd"
made "several caches" g2 "$large" --layout split --from "$url/xz" --from "$url/zstd?priority=10"

# A fixed size, and sizes that are too small: noticed at the beginning, and late.
create g4 --system "$system" -o "$out/local" -q --no-sigs --size 2G
made "a fixed size" g4 "$system" --from "$url/xz" --size 2G
refused 1 'too small for NARs' g6 --conf "$work/conf" --system "$large" -o "$out" --from "$url/zstd" --trusted-key "$key" --size 100M
refused 1 'too small; [0-9]+ MiB are needed|too small for all' g6 --conf "$work/conf" --system "$strange" -o "$out" --from "$url/zstd" --trusted-key "$key" --size 70M

# With signatures, the database has those of the cache, and Nix verifies them.
from g5 --system "$large" -o "$out" -q --trusted-key "$key" --from "$url/zstd"
believed "$out/g5.img" "$large"
echo "real Nix verifies it"

# On a host without Nix: no programs, no store.
without_nix from g2 --system "$large" -o "$out" -q --trusted-key "$key" --no-sigs --layout split --from "$url/zstd"
same_image "$out/g2-root.img" "$out/local/g2-root.img" || fail "without Nix: another image"
rm "$out"/g2*
printf 'caches = %s/zstd\ntrusted-keys = %s\n' "$url" "$key" >"$work/conf2"
without_nix create g2 --system "$large" -o "$out" -q --conf "$work/conf2" --no-sigs --layout split
same_image "$out/g2-root.img" "$out/local/g2-root.img" || fail "without Nix, as configured: another image"
echo "same: without Nix"
