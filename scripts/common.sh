# common.sh: sourced by the scripts of demo/, test/ and scripts/.
# Sets: repo (this tree), work (the directory for everything built: DOMSTRAP_WORK, or build/ in repo).
# shellcheck shell=bash
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034 # used by those that source this file
work=$(realpath -m "${DOMSTRAP_WORK:-$repo/build}")

# say WORDS: print a progress line, on stderr because results go to stdout
say() { printf '%s\n' "--- $*" >&2; }
die() { printf '%s\n' "${0##*/}: $*" >&2; exit 1; }

# only_one FILE: wait for another run that holds the lock, so that two runs do not build the same thing at once
only_one() {
  exec 9>"$1"
  flock -n 9 || { say "waiting for another run, which holds $1"; flock 9; }
}

# apt_ready: fetch package lists if there are none, as on a new machine or in a container
apt_ready() {
  [ -z "$(apt_state)" ] && [ "$(id -u)" = 0 ] || return 0
  say "apt-get update"
  apt-get -qq update || die "apt-get update failed, and there are no package lists"
}

# apt_state: print a value that changes whenever apt's answers may change
apt_lists=/var/lib/apt/lists
apt_state() { stat -c '%n %s %Y' "$apt_lists"/*Packages* 2>/dev/null || true; }

# nix_settings: set settings to the options that nix-build needs on this host, with or without Nix's daemon
nix_settings() {
  settings=(--option substituters '')
  [ "$(id -u)" = 0 ] && [ ! -S /nix/var/nix/daemon-socket/socket ] || return 0
  settings+=(--option sandbox false)
  # Without this group, root's builds run as root.
  getent group nixbld >/dev/null || settings+=(--option build-users-group '')
}

# copy_tree DIR: copy the sources without build results; works without git, too
copy_tree() {
  mkdir -p "$1"
  tar -C "$repo" -c --exclude=./.git --exclude=./build --exclude='./build-*' --exclude='./obj-*' . |
    tar -C "$1" -x --no-same-owner
}

# debian_sources SUITE: print this host's apt sources for Debian, with SUITE in place of the host's release
debian_sources() {
  local suite=$1 here
  here=$(. /etc/os-release && echo "${VERSION_CODENAME:?}")
  {
    sed -n "/^deb .*[[:space:]]${here}[-/[:space:]]/p" /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null || true
    # In the deb822 format, a source is a paragraph.
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed '/^#/d' |
      awk -v RS= -v ORS='\n\n' -v here="$here" '$0 ~ "(^|\n)Suites:([^\n]*[ \t])?" here "([-/ \t\n]|$)"'
  } | sed "s/\b$here\b/$suite/g"
}

# our_files PATTERN...: print the source files whose path matches one of the shell patterns ("*" matches "/", too), one
# per line: those that git knows, or all files of an unpacked release
our_files() {
  local path pattern
  if [ -e "$repo/.git" ]; then
    git -C "$repo" ls-files --cached --others --exclude-standard --deduplicate
  else
    (cd "$repo" && find . -name build -prune -o -path './build-*' -prune -o -type f -printf '%P\n')
  fi | sort | while IFS= read -r path; do
    # shellcheck disable=SC2053 # a pattern
    for pattern; do [[ $path != $pattern || ! -f $repo/$path ]] || { printf '%s\n' "$path"; break; }; done
  done
}
