#!/bin/bash
# install-deps.sh GROUP...: install the Debian packages that GROUPs need, if they are missing.
#   build   the two programs          test    programs for the tests
#   clang   the other compiler        demo    real Nix
#   xen     the Xen rig
#   package Debian packages, and the shells whose completion is tested
#   lint    checks of scripts and sources
#   cross   other architectures (scripts/cross.sh)
#   fresh   other releases of Debian (scripts/fresh.sh)
#   iso     installation CDs (demo/nixos/iso.sh)
# Without a group: all but the last four. Ends quickly if nothing is missing. Installs as root or with `sudo -n`; if
# neither is possible, prints the list and exits with status 1.
# shellcheck disable=SC2034 # the groups are used by their names
set -euo pipefail
. "$(dirname "$0")/common.sh"

build='gcc make meson ninja-build pkgconf libext2fs-dev comerr-dev libsqlite3-dev libssl-dev libjansson-dev libcrypt-dev libbsd-dev
  libblkid-dev libseccomp-dev zlib1g-dev liblzma-dev libzstd-dev liblz4-dev libbz2-dev libbrotli-dev
  libcurl4-openssl-dev nettle-dev libxxhash-dev libsodium-dev libcmocka-dev'
# The names of the sanitizers' libraries contain the version of the release's clang.
case $(. /etc/os-release && echo "${VERSION_CODENAME:-}") in
  bookworm) clang='clang libclang-rt-14-dev' ;;
  *) clang='clang libclang-rt-19-dev' ;;
esac
test='e2fsprogs fdisk nix-bin sqlite3 jq mount util-linux xfsprogs btrfs-progs dosfstools mtools mandoc tmux
  nginx-light python3 openssh-client grub-emu grub-common bsdutils genisoimage xorriso mdadm lvm2 binutils systemd-boot-efi'
demo='nix-bin'
xen='qemu-system-x86 patchelf cpio xz-utils lz4 zstd e2fsprogs fdisk'
package='build-essential debhelper lintian zsh fish groff-base'
lint='shellcheck clang-format-19 codespell'
cross='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'
fresh='mmdebstrap'
iso='xorriso isolinux syslinux-common'

[ $# -gt 0 ] || set -- build test clang demo xen package
want=()
for group; do
  case $group in
    build | test | clang | demo | xen | package | lint | cross | fresh | iso) read -rd '' -a names <<<"${!group}" || true; want+=("${names[@]}") ;;
    *) echo "${0##*/}: group '$group' is none of build, test, clang, demo, xen, package, lint, cross, fresh, iso" >&2; exit 2 ;;
  esac
done

# dpkg-query omits packages that it does not know, so list the installed ones and subtract them.
have=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' "${want[@]}" 2>/dev/null || true) "
missing=()
for p in "${want[@]}"; do [[ $have == *" installed:$p "* ]] || missing+=("$p"); done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    die "missing packages: ${missing[*]}
    not root, and sudo wants a password. Install them with:
      sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
fi
say "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1; }
# Old package lists may name files that the mirror no longer has; a new container has no lists.
{ apt update && apt install --no-install-recommends -y "${missing[@]}"; } || { cat "$log" >&2; die "apt-get could not install ${missing[*]}"; }
