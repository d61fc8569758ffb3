#!/bin/bash
# test-boot.sh [-s SYSTEM] DOMSTRAP [ARGUMENTS]: the main job, end to end. Makes an image of the demo system (or
# of SYSTEM) with `DOMSTRAP [ARGUMENTS] create`, boots it on Xen once as PV and once as PVH, logs in, and has the
# guest's own Nix look at its store. Afterwards e2fsck looks at what the guest left.
# The consoles stay in build/test-boot/. One line for each check, "N passed, N failed" last. Exit status: 0 if none failed, 1, 2 usage.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
usage() { echo "usage: test-boot.sh [-s SYSTEM] DOMSTRAP [ARGUMENTS]" >&2; exit 2; }
system=
while getopts s: option; do case $option in s) system=$OPTARG ;; *) usage ;; esac; done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage

"$repo/scripts/install-deps.sh" demo xen
"$here/build.sh"
mkdir -p "$work/test-boot"
configuration=$repo/demo/configuration.nix
[ -n "$system" ] || system=$("$repo/demo/nixos/build.sh" "$configuration" "$work/test-boot/result")
dir=$(mktemp -d "$work/test-boot/run.XXXXXX")
guests=()
set -m # each guest in a process group of its own, so that ^C here can end all of it
# shellcheck disable=SC2154 # p is assigned right there
trap 'for p in "${guests[@]}"; do kill -- "-$p" 2>/dev/null || true; done; rm -rf "$dir"' EXIT

# What the guest is asked. Typed on its console, so short; CHECK lines come back.
mkdir "$dir/guest"
cat >"$dir/guest/guest-script" <<X
check() { n=\$1; shift; o=\$("\$@" 2>&1) && echo "CHECK ok \$n" || echo "CHECK not ok \$n: \$(echo "\$o" | tail -n 3 | tr '\\n' ' ')"; }
same() { [ "\$1" = "\$2" ] || { echo "'\$1' is not '\$2'"; false; }; }
dead() { same "\$(nix-store --gc --print-dead 2>/dev/null)" ""; }
gens() { g=\$(nix-env -p /nix/var/nix/profiles/system --list-generations | cat); case \$g in *"   1 "*"(current)"*) [ "\$(echo "\$g" | wc -l)" = 1 ] ;; *) echo "\$g"; false ;; esac; }
ext4() { same "\$(dmesg | grep -E -i 'ext4-fs (error|warning)|i/o error')" ""; }
check "the guest's Nix verifies every path of its store" nix-store --verify --check-contents
check "nothing in the store is dead" dead
check "the system profile is at generation 1" gens
check "the profile is what was booted" same "\$(readlink -f /nix/var/nix/profiles/system)" "\$(readlink -f /run/booted-system)"
check "/nix/store is 1775 0:30000" same "\$(stat -c '%a %u:%g' /nix/store)" "1775 0:30000"
check "/etc/nixos/configuration.nix is the one given" same "\$(sha256sum </etc/nixos/configuration.nix)" "$(sha256sum <"$configuration")"
check "a file can be written" touch /root/new
check "the network gave an address" ping -c 1 -W 5 10.9.0.1
check "the kernel found no fault with ext4" ext4
X

passed=0 failed=0
result() { # result "ok"|"not ok" WHAT
  echo "$1 $2"
  if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

boot() { # boot TYPE COMMAND...: make a guest of that type and boot it; TYPE.rc tells how that ended
  local type=$1 rc=0
  shift
  mkdir "$dir/$type"
  {
    "$@" create demo --system "$system" --boot direct --type "$type" --memory 512 --output "$dir/$type" \
      --configuration "$configuration" &&
      "$here/run.sh" -W -c "$dir/$type/demo.cfg" -t 1500 -e USER=root -e PASSWORD=nixos -f "$dir/guest/guest-script" "$here/jobs/boot"
  } >"$work/test-boot/$type.log" 2>&1 </dev/null || rc=$?
  echo "$rc" >"$dir/$type.rc"
}

# Side by side: one emulated machine keeps one processor busy.
say "booting a PV and a PVH guest, each in a Xen of its own (1 to 3 minutes)"
for type in pv pvh; do
  boot "$type" "$@" &
  guests+=($!)
done
for type in pv pvh; do
  wait "${guests[0]}" || true
  guests=("${guests[@]:1}") # a number that may soon be another's
  log=$work/test-boot/$type.log
  for step in "login prompt" "logged in as root" "xl shutdown"; do
    if grep -q "RIG .* OK $step" "$log"; then result ok "$type: $step"; else result "not ok" "$type: $step"; fi
  done
  checks=$(sed -n 's/^ *[0-9.]* demo| CHECK //p' "$log")
  expected=$(grep -c '^check "' "$dir/guest/guest-script")
  while read -r line; do
    case $line in
      "ok "*) result ok "$type: ${line#ok }" ;;
      "not ok "*) result "not ok" "$type: ${line#not ok }" ;;
    esac
  done <<<"$checks"
  answered=$(grep -c . <<<"$checks" || true)
  [ "$answered" = "$expected" ] || result "not ok" "$type: the guest answered $answered of $expected checks"
  if fsck=$(e2fsck -fn "$dir/$type/demo.img?offset=$((2048 * 512))" 2>&1); then
    result ok "$type: the file system is clean after the guest's use"
  else
    result "not ok" "$type: e2fsck after the guest's use: ${fsck//$'\n'/ }"
  fi
  if [ "$(cat "$dir/$type.rc")" != 0 ] || [ "$failed" != 0 ]; then
    say "the end of $log:"
    tail -n 60 "$log" >&2
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
