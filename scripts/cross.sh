#!/bin/bash
# cross.sh [ARCHITECTURE]: build for another of Debian's architectures (default: arm64) without warnings. With qemu-user,
# run the unit tests of the pure libraries, and the fuzz targets' corpora. The libraries are unpacked, not installed, from
# packages of this host's release into build/cross/ARCHITECTURE.
set -euo pipefail
. "$(dirname "$0")/common.sh"
arch=${1:-arm64}
case $arch in
  arm64) triple=aarch64-linux-gnu cpu=aarch64 qemu=qemu-aarch64 endian=little ;;
  *) die "architecture \"$arch\" is not known; there is arm64" ;;
esac
"$repo/scripts/install-deps.sh" build cross fresh
root=$work/cross/$arch build=$work/cross/build-$arch
mkdir -p "$work/cross"
only_one "$work/cross/lock"

if [ ! -d "$root" ]; then
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # The build tools are those of this host; libraries are of the other architecture.
  read -rd '' -a packages < <(sed -n "/^build='/,/'$/p" "$repo/scripts/install-deps.sh" | tr "='" '  ') || true
  names=$(printf '%s\n' "${packages[@]}" | grep -e '-dev$' | paste -sd,)
  say "unpacking $arch libraries of $release in $root"
  rm -rf "$root.new"
  debian_sources "$release" | mmdebstrap --quiet --mode=root --variant=extract --architectures="$arch" \
    --include="libc6-dev,$names" "$release" "$root.new" - || { rm -rf "$root.new"; die "mmdebstrap failed"; }
  mv "$root.new" "$root"
fi

cat >"$work/cross/$arch.ini" <<E2
[constants]
root = '$root'
[binaries]
c = '$triple-gcc'
ar = '$triple-ar'
strip = '$triple-strip'
pkgconfig = 'pkg-config'
pkg-config = 'pkg-config'
exe_wrapper = ['$qemu', '-L', root]
[built-in options]
c_args = ['--sysroot=' + root]
c_link_args = ['--sysroot=' + root]
[properties]
sys_root = root
pkg_config_libdir = [root / 'usr/lib/$triple/pkgconfig', root / 'usr/share/pkgconfig']
[host_machine]
system = 'linux'
cpu_family = '$cpu'
cpu = '$cpu'
endian = '$endian'
E2
[ -e "$build/build.ninja" ] || env -u CC meson setup "$build" "$repo" --cross-file "$work/cross/$arch.ini" -Dwerror=true >"$work/cross/log" ||
  { tail -n 30 "$work/cross/log" >&2; die "meson setup failed"; }
say "building for $arch"
ninja -C "$build" >"$work/cross/log" || { tail -n 40 "$work/cross/log" >&2; die "the build for $arch failed"; }

# Only tests that are programs: a script would start programs of the other architecture without qemu-user.
mapfile -t tests < <(meson test -C "$build" --list --suite unit 2>/dev/null | sed 's/.* //' |
  grep -E '^(base|nix|disk|grub|xen|fuzz)/')
[ ${#tests[@]} -gt 30 ] || die "meson test --list names only ${#tests[@]} tests"
say "${#tests[@]} unit tests under $qemu"
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 10 "${tests[@]}"
