# lib.sh: sourced by test-install.sh and test-deb.sh; sources ../lib.sh, and adds a stranger: a user who owns only dir.
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
scratch

# as_stranger CMD...: run as the stranger, or as the current user if that is not root
as_stranger() {
  if [ "$(id -u)" = 0 ]; then
    chown -R 65534:65534 "$dir"
    HOME=$dir/home setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
  else
    "$@"
  fi
}

# installed ROOT FILE...: check that the files exist and everybody can read them
installed() {
  local root=$1 f
  shift
  for f; do
    if [ "$(stat -c %a "$root/$f" 2>/dev/null)" = "$([ "${f%/*}" = usr/bin ] && echo 755 || echo 644)" ]; then
      ok "$f"
    else
      bad "$f: $(stat -c %A "$root/$f" 2>&1)"
    fi
  done
}

# runs ROOT: check that the installed programs start and have this version
runs() {
  local p version
  version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$repo/meson.build")
  for p in domstrap domgrub; do
    [ "$("$1/usr/bin/$p" --version)" = "$p $version" ] && ok "$p $version runs" || bad "$p runs: $("$1/usr/bin/$p" --version 2>&1)"
  done
}
