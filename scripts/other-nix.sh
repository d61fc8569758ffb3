#!/bin/bash
# other-nix.sh [SUITE]: unpack Nix of another Debian SUITE (trixie on bookworm, else bookworm), without installing it, so
# that tests can use two versions on one host. Its programs run with their own loader and libraries, but start the host's
# programs. Prints the directory of its programs, below build/nix-SUITE. Needs no root.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$repo/scripts/suite.sh"
suite=${1:-$other_suite}
dir=$work/nix-$suite
mkdir -p "$dir"
apt_of "$suite"
only_one "$dir/lock"
stamp=$({ apt_state; cat "$0"; } | sha256sum)
if [ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ]; then
  # The libraries, among what apt would install with Nix on an empty machine.
  mapfile -t packages < <(apt-get -s install --no-install-recommends -o Dir::State::status=/dev/null nix-bin |
    awk '/^Inst/ {print $2}' | grep -E '^(lib|zlib1g$|nix-bin$)' | grep -Ev 'perl|^lib(pam|gdbm|db5|sema)')
  [ "${#packages[@]}" -gt 20 ] || die "apt finds no nix-bin in $suite"
  debs=$("$repo/scripts/fetch-debs.sh" "$dir/debs" "${packages[@]}")
  rm -rf "${dir:?}"/{root,bin}
  mkdir -p "$dir/root/usr/lib" "$dir/root/usr/lib64" "$dir/bin"
  # Merged /usr, because packages use either path.
  ln -s usr/lib usr/lib64 "$dir/root/"
  # Not dpkg-deb -x, which would replace these links by directories.
  while read -r deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -C "$dir/root" -x --keep-directory-symlink --no-same-owner
  done <<<"$debs"
  # /lib64's link to the loader may be absolute, and would lead to the host's loader.
  libs=$dir/root/usr/lib/x86_64-linux-gnu
  for program in "$dir/root"/usr/bin/nix*; do
    cat >"$dir/bin/${program##*/}" <<X
#!/bin/sh
exec '$libs/ld-linux-x86-64.so.2' --argv0 ${program##*/} --library-path '$libs:$dir/root/usr/lib/nix' \\
  '$dir/root/usr/bin/nix' "\$@"
X
    chmod 755 "$dir/bin/${program##*/}"
  done
  "$dir/bin/nix" --version >&2
  echo "$stamp" >"$dir/stamp"
fi
echo "$dir/bin"
