#!/bin/bash
# demo.sh [--login]: build a small system in NixOS's layout, make a guest of it with domstrap create, and boot
# that on a real Xen (in QEMU) up to its login prompt. With --login this terminal becomes the guest's console.
# What an earlier run left in build/ (or $DOMSTRAP_WORK) is used again where nothing it came from has changed.
# DOMSTRAP: the program, if not the one in build/.
set -euo pipefail
. "$(dirname "$0")/../scripts/common.sh"
domstrap=${DOMSTRAP:-$repo/build/bin/domstrap/domstrap}
login=
case "$#:${1:-}" in
  0:) ;;
  1:--login) login=1 ;;
  *) echo "usage: demo.sh [--login]" >&2; exit 2 ;;
esac
[ -z "$login" ] || [ -t 0 ] || die "--login needs a terminal"
[ -x "$domstrap" ] || die "$domstrap: no such program; build it first (make), or name it in DOMSTRAP"

dir=$work/demo
mkdir -p "$dir"
"$repo/scripts/install-deps.sh" demo xen
"$repo/test/xen/build.sh"

before=$(readlink -f "$dir/result" || true)
system=$("$repo/demo/nixos/build.sh" "$repo/demo/configuration.nix" "$dir/result")
if [ "$system" = "$before" ]; then say "system: up to date, $system"; else say "system: built $system"; fi

create=("$domstrap" create demo --system "$dir/result" --boot direct --memory 512 --output "$dir"
  --configuration "$repo/demo/configuration.nix" --force)
stamp=$({ echo "$system ${create[*]}"; sha256sum "$domstrap"; } | sha256sum)
if [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ] && [ -e "$dir/demo.img" ] && [ -e "$dir/demo.cfg" ]; then
  say "image: up to date, $dir/demo.img"
else
  say "${create[*]}"
  "${create[@]}"
  echo "$stamp" >"$dir/stamp"
fi

if [ -n "$login" ]; then
  say "booting; the console is yours. Log in as guest (password guest) or root (nixos), leave with poweroff."
  exec "$repo/test/xen/run.sh" -i -c "$dir/demo.cfg" -t 86400 "$repo/test/xen/jobs/console"
fi

say "booting Xen and a dom0 in QEMU, then: xl create -c demo.cfg (20 to 60 s)"
# The guest's own lines as they are; the rig's as phases; the rest only in the log.
if ! "$repo/test/xen/run.sh" -c "$dir/demo.cfg" "$repo/test/xen/jobs/boot" 2>&1 | tee "$dir/console.log" |
  sed -u -n "s/^ *[0-9.]* demo| //p; s/^ *\([0-9.]*\) RIG [0-9.]* \(.*\)/--- \1 s: \2/p"; then
  tail -n 20 "$dir/console.log" >&2
  die "the guest did not get to its login prompt; all of the console is in $dir/console.log"
fi

cat <<X

That was the guest's own console, on a real Xen $(sed -n 's/.*Xen version \([0-9.]*\).*/\1/p' "$dir/console.log" | head -n 1): from the kernel that domstrap wrote beside the
image, through stage 1 and 2, to the login prompt. NixOS cannot be downloaded here, so the system has NixOS's
layout and was built by real Nix, but its contents are Debian's: cloud kernel, busybox, Nix.
    demo/demo.sh --login      boots it again and gives you its console

With a real configuration, on a machine that reaches NixOS's servers:
    domstrap init NAME
    domstrap create NAME --config NAME/configuration.nix
    xl create -c NAME.cfg
X
