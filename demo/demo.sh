#!/bin/bash
# demo.sh [--login] [--nixos [STORE-PATH]]: on real Xen in QEMU, make a guest with domstrap create, boot it through domgrub
# by its own boot menu, update it to a second generation, boot that, and roll back. Shows each command and its output.
#   --login   make the guest and boot it, with this terminal as its console
#   --nixos   use NixOS itself: built by Nix with the public binary cache, or, without Nix, the system STORE-PATH
#             from that cache. The guest is made and booted once.
# Without --nixos the systems are the stand-in of demo/nixos, which needs nothing from the network but Debian's packages.
# What an earlier run left in build/ (or $DOMSTRAP_WORK) is used again if its sources have not changed.
#   DOMSTRAP, DOMGRUB   the programs, if not those in build/
#   DEMO_CACHE          the binary cache; default: https://cache.nixos.org
#   DEMO_KEY            its public key; default: cache.nixos.org's
#   DEMO_NIXPKGS        as for domstrap's --nixpkgs; default: a channel that the installed Nix can evaluate
# Exit status: 0 if all steps succeeded, 1 if not, 2 usage.
set -euo pipefail
. "$(dirname "$0")/../scripts/common.sh"
. "$repo/scripts/suite.sh"
domstrap=${DOMSTRAP:-$repo/build/bin/domstrap/domstrap}
domgrub=${DOMGRUB:-$repo/build/bin/domgrub/domgrub}
cache=${DEMO_CACHE:-https://cache.nixos.org}
key=${DEMO_KEY:-cache.nixos.org-1:6NCHdD59X431o0gWypbMrAURkbJ16ZPMQFGspcDShjY=}
configuration=$repo/demo/configuration.nix
usage() { echo "usage: demo.sh [--login] [--nixos [STORE-PATH]]" >&2; exit 2; }

login='' nixos='' path=''
while [ $# -gt 0 ]; do
  case $1 in
    --login) login=1 ;;
    --nixos)
      nixos=1
      case ${2:-} in '' | -*) ;; *) path=$2; shift ;; esac
      ;;
    *) usage ;;
  esac
  shift
done
[ -z "$login" ] || [ -t 0 ] || die "--login needs a terminal"
for program in "$domstrap" "$domgrub"; do
  [ -x "$program" ] || die "$program: no such program; build it first (make), or set DOMSTRAP and DOMGRUB"
done

# room DIR MB: that much is free in DIR
room() {
  local free
  free=$(df -Pm "$1" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$2" ] || die "$1: $free MB free, but the demo needs $2 MB; free some, or set ${3:-DOMSTRAP_WORK} to a directory with more"
}

dir=$work/demo
mkdir -p "$dir"
if [ -e "$dir/cache.img" ]; then room "$work" 1300; else room "$work" 2000; fi
room "${TMPDIR:-/tmp}" 300 TMPDIR
only_one "$dir/lock"
tmp=$(mktemp -d)
at_end() { rm -rf "$tmp" "$dir/disk.img"; }
trap at_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# answers: whether the cache serves its nix-cache-info. It is asked once and has two seconds to connect; the longer limit
# allows for Nix to start on a busy machine. Nix would turn a missing directory into a cache, so directories are
# looked at directly, and it remembers answers for days, so it gets an empty directory for them.
answers() {
  case $cache in file://*) [ -e "${cache#file://}/nix-cache-info" ]; return ;; esac
  # Newer Nix calls it "store info" and knows the old name.
  XDG_CACHE_HOME=$tmp/xdg timeout -k 1 5 nix --extra-experimental-features nix-command --option connect-timeout 2 \
    --option download-attempts 1 store ping --store "$cache" >/dev/null 2>&1
}

# boot OPTION...: boot a Xen host with both programs, run the job "demo" in it, and print what show.pl makes of it
boot() {
  local color=()
  ! [ -t 1 ] || [ "${TERM:-dumb}" = dumb ] || [ -n "${NO_COLOR:-}" ] || color=(--color)
  "$repo/test/xen/run.sh" -b "$domgrub" -x "$domstrap" -t 1500 "$@" "$repo/test/xen/jobs/demo" 2>&1 9>&- |
    tee "$dir/console.log" | "$repo/demo/show.pl" "${color[@]}" && return
  grep -v ' SCREEN ' "$dir/console.log" | tail -n 20 >&2
  die "a step failed; the whole log is $dir/console.log"
}
# interactive OPTION...: the same with this terminal as dom0's, which the job hands to the guest's console
interactive() {
  say "booting; the console is yours. Log in as guest (password guest) or root (nixos), leave with poweroff."
  "$repo/test/xen/run.sh" -i -b "$domgrub" -x "$domstrap" -t 86400 -e LOGIN=1 "$@" "$repo/test/xen/jobs/demo" 9>&-
}
xen_version() { head -n 1 "$work/xen-rig/${XEN_SUITE:-$host_suite}/out/versions"; }
. "$repo/demo/nixos.sh"

# ---- the stand-in: two systems, and a binary cache with both ----

# both: build both systems and the disk image cache.img, which holds a binary cache with both. Sets first and second,
# their store paths.
both() {
  local stamp size
  export DOMSTRAP_DEMO_INIT=busybox # three boots in two minutes
  first=$("$repo/demo/nixos/build.sh" "$configuration" "$dir/first")
  second=$("$repo/demo/nixos/build.sh" "$repo/demo/generation-2.nix" "$dir/second")
  stamp="$first $second"
  [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && [ -e "$dir/cache.img" ] && { say "systems: up to date"; return; }
  rm -rf "$dir/stamp" "$dir/cache" "$dir/cache.img" "$dir/key" "$dir/key.pub"
  nix_settings
  nix-store "${settings[@]}" --generate-binary-cache-key demo-1 "$dir/key" "$dir/key.pub"
  say "copying both systems to a signed binary cache on a disk image"
  nix --extra-experimental-features nix-command "${settings[@]}" copy \
    --to "file://$dir/cache?compression=zstd&secret-key=$dir/key" "$first" "$second" 2>"$tmp/log" ||
    { cat "$tmp/log" >&2; die "nix copy failed"; }
  size=$(du -sm "$dir/cache" | cut -f 1)
  mke2fs -q -t ext4 -d "$dir/cache" "$dir/cache.img.new" $((size * 5 / 4 + 16))M >"$tmp/log" 2>&1 ||
    { cat "$tmp/log" >&2; die "mke2fs failed"; }
  mv "$dir/cache.img.new" "$dir/cache.img"
  rm -rf "$dir/cache"
  echo "$stamp" >"$dir/stamp"
}

stand_in() {
  local options
  both
  # Allocated blocks if possible: QEMU halts the machine when the host's disk is full.
  fallocate -l 1G "$dir/disk.img" 2>/dev/null || truncate -s 1G "$dir/disk.img"
  mke2fs -q -t ext4 "$dir/disk.img"
  options=(-d "$dir/cache.img" -w "$dir/disk.img" -m 1300 -e MEMORY=256 -e "FIRST=$first" -e "SECOND=$second"
    -e "KEY=$(cat "$dir/key.pub")" -e USER=guest -e PASSWORD=guest)
  [ -z "$login" ] || { interactive "${options[@]}"; return; }
  say "booting Xen and its dom0 in QEMU; the first step begins in 10 to 20 s"
  boot "${options[@]}"
  cat <<Y
The guest ran on real Xen $(xen_version) and booted by the menu on its own disk. Its system is a stand-in for NixOS: it has NixOS's
layout and was built by real Nix, but from Debian's packages (cloud kernel, busybox, Nix).

    demo/demo.sh --login        makes the guest again and connects you to its console
Y
  if answers; then
    echo "    make demo NIXOS=1           does this with NixOS itself ($cache answers)"
  else
    echo "    make demo NIXOS=1           does this with NixOS itself; needs $cache,"
    echo "                                which did not answer within 2 seconds"
  fi
  cat <<'Y'

With a configuration of your own, on a machine with Nix:
    domstrap init web1
    domstrap create web1 --config web1/configuration.nix --nixpkgs channel:nixos-26.05
and on the Xen host, with web1.img and web1.cfg:
    xl create -c web1.cfg
Y
}

if [ -n "$path" ]; then "$repo/scripts/install-deps.sh" xen; else "$repo/scripts/install-deps.sh" demo xen; fi
if [ -n "$nixos" ]; then real; else
  "$repo/test/xen/build.sh"
  stand_in
fi
