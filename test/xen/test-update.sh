#!/bin/bash
# test-update.sh DOMSTRAP DOMGRUB: a guest that was made from a binary cache, with no Nix in PATH, gets a new generation
# from there, boots it on Xen through domgrub, is rolled back after it has run, and boots the old one. Each time the
# guest itself is asked which system it runs, and its own Nix looks at its store. The consoles stay in
# build/test-update/. One line for each check, "N passed, N failed" last. Exit status: 0 if none failed, else 1.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: test-update.sh DOMSTRAP DOMGRUB" >&2; exit 2; }
domstrap=$1 domgrub=$(readlink -f "$2")

"$repo/scripts/install-deps.sh" demo xen
"$here/build.sh"
mkdir -p "$work/test-update"
dir=$(mktemp -d "$work/test-update/run.XXXXXX")
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cp "$repo/demo/configuration.nix" "$dir/old.nix"
sed 's/hostName = "demo"/hostName = "renewed"/' "$dir/old.nix" >"$dir/new.nix"
old=$("$repo/demo/nixos/build.sh" "$dir/old.nix" "$work/test-update/old")
new=$("$repo/demo/nixos/build.sh" "$dir/new.nix" "$work/test-update/new")
[ "$old" != "$new" ] || die "both systems are one"
nix-store --generate-binary-cache-key test-1 "$dir/secret" "$dir/public"
nix --extra-experimental-features nix-command copy --to "file://$dir/cache?compression=zstd&secret-key=$dir/secret" "$old" "$new" 2>"$dir/log" ||
  { cat "$dir/log" >&2; die "nix copy"; }

passed=0 failed=0
result() { # result "ok"|"not ok" WHAT
  echo "$1 $2"
  if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}

boot() { # boot WHAT SYSTEM HOSTNAME GENERATION
  local what=$1 log=$work/test-update/$1.log answered
  cat >"$dir/guest-script" <<-X
	check() { n=\$1; shift; o=\$("\$@" 2>&1) && echo "CHECK ok \$n" || echo "CHECK not ok \$n: \$(echo "\$o" | tail -n 3 | tr '\\n' ' ')"; }
	same() { [ "\$1" = "\$2" ] || { echo "'\$1' is not '\$2'"; false; }; }
	gens() { g=\$(nix-env -p /nix/var/nix/profiles/system --list-generations | cat); case \$g in *"   $4 "*"(current)"*) [ "\$(echo "\$g" | wc -l)" = 2 ] ;; *) echo "\$g"; false ;; esac; }
	ext4() { same "\$(dmesg | grep -E -i 'ext4-fs (error|warning)|i/o error')" ""; }
	check "the host is $3" same "\$(hostname)" "$3"
	check "it booted the system meant" same "\$(readlink -f /run/booted-system)" "$2"
	check "two generations, $4 is current" gens
	check "its Nix verifies every path of its store" nix-store --verify --check-contents
	check "nothing in the store is dead" same "\$(nix-store --gc --print-dead 2>/dev/null)" ""
	check "a file can be written" sh -c 'head -c 3000000 /dev/urandom >/root/by-$3'
	check "the kernel found no fault with ext4" ext4
	X
  "$here/run.sh" -W -b "$domgrub" -c "$dir/g.cfg" -t 1200 -e USER=root -e PASSWORD=nixos -f "$dir/guest-script" "$here/jobs/boot" \
    >"$log" 2>&1 </dev/null || true
  if grep -q "RIG .* OK xl shutdown" "$log"; then result ok "$what: boots, and shuts down"; else result "not ok" "$what: boots, and shuts down"; fi
  while read -r line; do
    case $line in
      "ok "*) result ok "$what: ${line#ok }" ;;
      *) result "not ok" "$what: ${line#not ok }" ;;
    esac
  done < <(sed -n 's/^ *[0-9.]* [a-z]*| CHECK //p' "$log" | tr -d '\r')
  answered=$(grep -c '| CHECK ' "$log" || true)
  [ "$answered" = 7 ] || result "not ok" "$what: the guest answered $answered of 7 checks"
  if fsck=$(e2fsck -fn "$dir/g.img?offset=1048576" 2>&1); then result ok "$what: e2fsck finds nothing"; else result "not ok" "$what: e2fsck: ${fsck//$'\n'/ }"; fi
  [ $failed = 0 ] || { say "the end of $log:"; tail -n 60 "$log" >&2; }
}

# Without Nix: no program but domstrap's own, nothing from the host's store.
cache=(--from "file://$dir/cache" --trusted-key "$(cat "$dir/public")")
mkdir "$dir/bin"
PATH=$dir/bin "$domstrap" create g -q -o "$dir" --system "$old" "${cache[@]}" --memory 512
PATH=$dir/bin "$domstrap" update "$dir/g.cfg" -q --system "$new" "${cache[@]}"
say "booting the new generation, then the old one (1 to 5 minutes)"
boot updated "$new" renewed 2
"$domstrap" rollback "$dir/g.cfg" -q
boot rolled-back "$old" demo 1
"$domstrap" generations "$dir/g.cfg"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
