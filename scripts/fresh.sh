#!/bin/bash
# fresh.sh SUITE COMMAND...: run COMMAND in a copy of this tree on a minimal system of a Debian SUITE (bookworm, trixie),
# which has make and git and nothing else. The system is made once, below build/fresh, from the apt sources of this host
# with the suite's name in them; each run begins with it as it was made, and what the run changes is gone afterwards.
# It is entered by pivot_root in name spaces of its own, so that user name spaces, mounts and loop devices work as on a
# host. Packages that a run downloads are kept for the next one. Needs root, or sudo without a password.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$repo/scripts/suite.sh"

archives=/changes/var/cache/apt/archives # in the directory of a run's changes

# ---- inside: as process 1 of the new name spaces ----

# enter BASE DEBS TMP COMMAND...
enter() {
  local base=$1 debs=$2 tmp=$3 root=$3/root dir
  shift 3
  mount --make-rprivate /
  mount -t tmpfs -o mode=755 fresh "$tmp"
  mkdir "$tmp/upper" "$root"
  # What is written stays on the disk that build/ is on: a build is larger than memory may be.
  mount --bind "$fresh_changes" "$tmp/upper"
  mkdir -p "$fresh_changes$archives" "$fresh_changes/work"
  # Links, and not the directory: apt locks it, and two runs may install packages at once.
  find "$debs" -name '*.deb' -exec cp -l -t "$fresh_changes$archives" {} +
  # An overlay cannot be made on every file system, such as another overlay: then from a copy.
  if ! mount -t overlay -o "lowerdir=$base,upperdir=$tmp/upper/changes,workdir=$tmp/upper/work" fresh "$root" 2>/dev/null; then
    cp -a --reflink=auto "$base/." "$fresh_changes/changes"
    mount --bind "$fresh_changes/changes" "$root"
  fi
  for dir in dev sys; do mount --rbind "/$dir" "$root/$dir"; done
  mount -t proc proc "$root/proc"
  for dir in tmp run; do mount -t tmpfs -o mode=1777 "$dir" "$root/$dir"; done
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  copy_tree "$root/root/domstrap"
  cd "$root"
  mkdir old
  pivot_root . old
  umount -l /old
  rmdir /old
  cd /root/domstrap
  # Some tests ask git which files are ours.
  git init -q . && git add -A && git -c user.name=fresh -c user.email=fresh@localhost commit -qm 'a copy'
  exec env -i HOME=/root USER=root LOGNAME=root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    TERM="${TERM:-dumb}" ${CI:+CI="$CI"} DEBIAN_FRONTEND=noninteractive "$@"
}

if [ "${fresh_changes:-}" ]; then
  enter "$@"
fi

# ---- outside ----

[ $# -ge 2 ] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 2; }
suite=$1
shift
if [ "$(id -u)" != 0 ]; then
  sudo -n true 2>/dev/null || die "needs root, and sudo wants a password"
  exec sudo -n -- "$0" "$suite" "$@"
fi
valid_suite "$suite"

# make_base: the minimal system; whole or not there
make_base() {
  local list
  list=$(debian_sources "$suite")
  [ -n "$list" ] || die "none of this host's apt sources is of its own suite, $host_suite"
  "$repo/scripts/install-deps.sh" fresh
  say "making a minimal $suite in $base"
  rm -rf "$base.new"
  # Packages are kept, so that the next run need not fetch them again. Nothing here must survive a crash, so dpkg need not
  # wait for the disk at each file.
  mmdebstrap --quiet --mode=root --variant=minbase --include=make,git \
    --dpkgopt=force-unsafe-io --aptopt='APT::Keep-Downloaded-Packages "true"' --aptopt='Acquire::Languages "none"' \
    "$suite" "$base.new" - <<<"$list" || { rm -rf "$base.new"; die "mmdebstrap failed"; }
  mv "$base.new" "$base"
}

top=$work/fresh base=$work/fresh/$suite debs=$work/fresh/$suite-packages
mkdir -p "$top" "$debs"
(
  only_one "$top/lock"
  [ -d "$base" ] || make_base
)
changes=$(mktemp -d "$top/run.XXXXXX")
tmp=$(mktemp -d)
trap 'rm -rf "$changes"; rmdir "$tmp"' EXIT
say "$suite: $*"
rc=0
fresh_changes=$changes DOMSTRAP_WORK=$work unshare --mount --pid --ipc --fork --kill-child \
  bash "$0" "$base" "$debs" "$tmp" "$@" || rc=$?
find "$changes$archives" -name '*.deb' -exec cp -ln -t "$debs" {} + 2>/dev/null || true
exit "$rc"
