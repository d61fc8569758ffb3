# suite.sh: apt of any Debian suite, without root. Sourced after common.sh.
# Sets: host_suite (the name of this host's suite, such as bookworm) and other_suite (the second one that tests use).
# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those that source this file
host_suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
case $host_suite in bookworm) other_suite=trixie ;; *) other_suite=bookworm ;; esac

# valid_suite NAME: exit with a message unless NAME can be the name of a suite
valid_suite() {
  [[ $1 =~ ^[a-z]+$ ]] || die "suite \"$1\": expected the name of a Debian suite, such as bookworm or trixie"
}

# apt_of SUITE: make apt-get, apt-cache and apt_state use SUITE from now on, in child processes, too. For the host's suite,
# that is apt's own configuration. For another one, lists and cache are in $work/apt/SUITE; the lists are fetched the first
# time and whenever the host's lists have changed. The host's apt is not changed.
apt_of() {
  valid_suite "$1"
  if [ "$1" = "$host_suite" ]; then apt_ready; return; fi
  local dir=$work/apt/$1 host
  mkdir -p "$dir"/{lists/partial,cache/archives/partial,sources}
  host=$(apt_state)
  apt_lists=$dir/lists
  only_one "$dir/lock"
  other_sources "$1" "$dir"
  export APT_CONFIG=$dir/apt.conf
  if [ -z "$(apt_state)" ] || [ "$(cat "$dir/host" 2>/dev/null)" != "$host" ]; then
    say "apt-get update for $1"
    if apt-get -qq update >"$dir/log" 2>&1; then
      echo "$host" >"$dir/host"
    elif [ -n "$(apt_state)" ]; then
      say "apt-get update for $1 failed ($dir/log), using the lists of last time"
    else
      cat "$dir/log" >&2
      die "apt-get update for $1 failed, and there are no package lists"
    fi
  fi
  exec 9>&-
}
# kept FILE: write standard input to FILE, atomically and only if it differs: another run may be reading it
kept() {
  cat >"$1.new~"
  if cmp -s "$1.new~" "$1"; then rm "$1.new~"; else mv "$1.new~" "$1"; fi
}
# other_sources SUITE DIR: write DIR/sources and DIR/apt.conf, the host's configuration with other directories
other_sources() {
  debian_sources "$1" | sed '/^deb /!d' | kept "$2/sources/host.list"
  debian_sources "$1" | sed '/^deb /d' | kept "$2/sources/host.sources"
  [ -s "$2/sources/host.list" ] || [ -s "$2/sources/host.sources" ] ||
    die "none of this host's apt sources is of its own suite ($host_suite), so there are none for $1"
  {
    APT_CONFIG='' apt-config dump
    # No other file is read. The host's hooks and pins are for the host only.
    cat <<X
#clear APT::Update;
#clear APT::Default-Release;
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$2/sources";
Dir::State::lists "$2/lists";
Dir::State::status "/dev/null";
Dir::Cache "$2/cache";
Acquire::Languages "none";
X
  } | kept "$2/apt.conf"
}
