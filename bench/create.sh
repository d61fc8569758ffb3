#!/bin/bash
# create.sh [WORKDIR]: time "domstrap create" and the manual ways, alternating in one run:
#
#   manual     truncate, sfdisk, losetup, mkfs.ext4, mount, nix copy, nix-env --set, umount
#   cp         mkfs.ext4, mount, cp -a of the closure, umount
#   mke2fs     mke2fs -d of a staging copy; making that copy is not counted
#   floor      reading all files and writing them into one file (floor.c)
#   verified   domstrap create
#   plain      domstrap create --no-verify
#
# All of them sync their data to disk. Prints medians, medians of the ratios within each round, CPU seconds and peak
# memory; then times a directory of 200,000 links, and shared blocks on XFS. ROUNDS (5): number of rounds. Needs root for
# mounts, 10 GB in WORKDIR (default: build/bench) and an otherwise idle machine.
. "$(dirname "$0")/common.sh"
rounds=${ROUNDS:-5}
size=4G
domstrap=$(built domstrap)
nix=(nix --extra-experimental-features nix-command)

root=false
if [ "$(id -u)" = 0 ]; then root=true; else echo "create.sh: not root: no peers that mount" >&2; fi

# ---- the writers; the argument is the file to make ----

manual() {
  local img=$1 mnt=$work/mnt loop
  truncate -s "$size" "$img"
  echo '2048,,83' | sfdisk -q "$img"
  loop=$(losetup --show -f -o 1M "$img")
  mkfs.ext4 -q -L NIXOS "$loop"
  mount "$loop" "$mnt"
  "${nix[@]}" copy --no-check-sigs --to "$mnt" "$system" 2>"$work/nix.log"
  nix-env --store "$mnt" -p "$mnt/nix/var/nix/profiles/system" --set "$system" 2>>"$work/nix.log"
  mkdir -p "$mnt/etc/nixos" "$mnt/root"
  touch "$mnt/etc/NIXOS"
  umount "$mnt"
  losetup -d "$loop"
  sync "$img"
}

cp_a() {
  local img=$1 mnt=$work/mnt
  truncate -s "$size" "$img"
  mkfs.ext4 -q -L NIXOS "$img"
  mount -o loop "$img" "$mnt"
  mkdir -p "$mnt/nix/store"
  cp -a "${paths[@]}" "$mnt/nix/store"
  umount "$mnt"
  sync "$img"
}

mke2fs_d() { mke2fs -q -t ext4 -L NIXOS -d "$work/stage" "$1" "$size" >"$work/nix.log" 2>&1 && sync "$1"; }
floor() { "$build/bench/floor" "$1" "${paths[@]}"; }
verified() { "$domstrap" create bench --system "$system" --size "$size" -o "${1%/*}" -q; }
plain() { "$domstrap" create bench --system "$system" --size "$size" -o "${1%/*}" -q --no-verify; }

# one WRITER: run and measure it, from the same starting point
one() {
  rm -rf "$work/out"
  mkdir "$work/out"
  sync
  measured "$1" bash -c "set -euo pipefail; $1 \"\$1\"" bash "$work/out/bench.img" ||
    die "$1 failed$(! [ -s "$work/nix.log" ] || { echo; tail -n 5 "$work/nix.log"; })"
  echo "  $1: $(tail -n 1 "$work/times.$1")" >&2
}

# ---- numbers ----

table() {
  local w
  echo "| writer | wall s | CPU s | peak MiB | by verified | by plain |"
  echo "|---|---|---|---|---|---|"
  for w in "${writers[@]}"; do
    printf '| %s | %.2f | %.2f | %.0f | %.2f | %.2f |\n' "$w" "$(column "$w" 1 | median)" "$(column "$w" 2 | median)" \
      "$(column "$w" 3 | awk '{print $1 / 1024}' | median)" "$(ratio "$w" verified)" "$(ratio "$w" plain)"
  done
}

# ---- the closure ----

closure() {
  system=$("$here/closure.sh" "$work")
  mapfile -t paths < <(nix-store -qR "$system")
  mkdir -p "$work/mnt"
  if $root && [ "$(cat "$work/stage.of" 2>/dev/null)" != "$system" ]; then
    rm -rf "$work/stage"
    mkdir -p "$work/stage/nix/store"
    cp -a "${paths[@]}" "$work/stage/nix/store"
    echo "$system" >"$work/stage.of"
  fi
  find "${paths[@]}" -type f -exec cat {} + >/dev/null # warm
}

race() {
  local w
  writers=(mke2fs_d floor verified plain)
  $root && writers=(manual cp_a "${writers[@]}")
  export -f manual cp_a mke2fs_d floor verified plain
  export work build domstrap system size
  # Arrays cannot be exported, so they are written to a file.
  declare -p nix paths >"$work/arrays"
  export BASH_ENV=$work/arrays
  for ((i = 1; i <= rounds; i++)); do
    echo "create.sh: round $i of $rounds" >&2
    for w in "${writers[@]}"; do one "$w"; done
  done
  unset BASH_ENV
  table
}

# ---- a large directory ----

links() {
  local dir=$1 n=$2
  mkdir -p "$dir/links"
  perl -e 'chdir shift or die; symlink "/nix/store/target-$_", sprintf("link-%06d", $_) or die for 1 .. shift' \
    "$dir/links" "$n"
}

large_directory() {
  local top store=$work/links-store
  rm -rf "$store" "$work/links" "$work/links5"
  mkdir -p "$work/links/system" "$work/links5" "$work/out"
  links "$work/links/system" 200000
  links "$work/links5" 5000
  (cd "$work/links/system" && printf '#!/bin/sh\n' >init && chmod +x init && echo >bzImage && ln -s bzImage kernel &&
    ln -s bzImage initrd && printf x86_64-linux >system && printf '' >kernel-params)
  mv "$work/links/system" "$work/links/nixos-system-links-1.0"
  top=$(nix-store --store "$store" --add "$work/links/nixos-system-links-1.0")
  for ((i = 0; i < rounds; i++)); do
    rm -rf "$work/out"/*
    sync
    measured links "$domstrap" create links --from "$store" --system "$top" -o "$work/out" -q
    measured links5 mke2fs -q -t ext4 -d "$work/links5" "$work/out/peer.img" 1G >"$work/nix.log" 2>&1
  done
  echo
  printf 'One directory of links: domstrap create, 200,000 of them, verified: %.2f s; mke2fs -d, 5,000 of them: %.2f s.\n' \
    "$(column links 1 | median)" "$(column links5 1 | median)"
  rm -rf "$store" "$work/links" "$work/links5"
}

# ---- shared blocks ----

xfs() {
  local mnt=$work/mnt before after all
  if ! $root || ! command -v mkfs.xfs >/dev/null; then
    echo "create.sh: XFS needs root and xfsprogs" >&2
    return
  fi
  rm -rf "$work/out" "$work/xfs"
  truncate -s 8G "$work/xfs"
  mkfs.xfs -q -m reflink=1 "$work/xfs"
  mount -o loop "$work/xfs" "$mnt"
  "${nix[@]}" copy --no-check-sigs --to "$mnt" "$system" 2>"$work/nix.log"
  mkdir "$mnt/out"
  sync
  before=$(df --output=used -B1024 "$mnt" | tail -n 1)
  measured xfs "$domstrap" create bench --from "$mnt" --system "$system" -o "$mnt/out" -q
  sync
  after=$(df --output=used -B1024 "$mnt" | tail -n 1)
  all=$(du -k "$mnt/out/bench.img" | cut -f 1)
  umount "$mnt"
  rm -f "$work/xfs"
  printf '\nOn XFS with shared blocks: %.0f MiB of the image'\''s %.0f MiB are new (%.0f %%), verified in %.2f s.\n' \
    "$(((after - before) / 1024))" "$((all / 1024))" "$((100 * (after - before) / all))" "$(column xfs 1)"
}

cleanup() {
  mountpoint -q "$work/mnt" && umount "$work/mnt"
  losetup -j "$work/out/bench.img" -O NAME -n 2>/dev/null | xargs -r losetup -d
  rm -rf "$work/out" "$work"/xfs "$work"/times.* "$work/arrays" "$work/nix.log"
}
trap cleanup EXIT

closure
race
large_directory
xfs
