# A world of its own for a test with real Nix: a mount name space in which /nix is a temporary directory, real Nix
# working on it, and the host's store out of reach. Sourced first, by create/lib.sh and update/lib.sh; needs DOMSTRAP.
# Sets WORLD, all of it, and below that root, whose /nix it is, work, where the test begins, and out.
#   world_in     where WORLD is made (default: TMPDIR, or /tmp)
#   world_root   not empty: the user must be root, and not only in a name space of users
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for those that source this
set -euo pipefail
: "${DOMSTRAP:?}"
export LC_ALL=C TZ=UTC
umask 022

skip() { echo "skipped: $*" >&2; exit 77; }
fail() { # with KEEP_GOING=1, for whoever works on the tests, go on
  echo "FAILED: $*" >&2
  [ -n "${KEEP_GOING:-}" ] || exit 1
}

# ends STATUS WORDS COMMAND...: domstrap ends so and says so, on stdout or stderr together; what it said is in said
ends() {
  local status=$1 words=$2 got=0
  shift 2
  "$DOMSTRAP" "$@" >"$work/said" 2>&1 || got=$?
  [ "$got" = "$status" ] || { cat "$work/said" >&2; fail "status $got, not $status: $*"; }
  grep -Eq -- "$words" "$work/said" || { cat "$work/said" >&2; fail "not said: $words: $*"; }
}

# same_image A B: two images, byte for byte; cmp would read their holes
same_py=$(dirname "${BASH_SOURCE[0]}")/same.py
same_image() { "$same_py" "$@" >&2; }

. "$(dirname "${BASH_SOURCE[0]}")/flip.sh"

# chosen N: is step N of many alike to be tried? With TEST_SHORT (scripts/test.sh --other) only every fourth is.
chosen() { [ -z "${TEST_SHORT:-}" ] || [ $(($1 % 4)) = 0 ]; }

# Files are 0444 and directories 0555 in a store; only root does not mind.
wipe() { chmod -R u+w "$1" 2>/dev/null || true; rm -rf "$1"; }

enter_world() {
  local as_root=() trace=() status=0 dir
  [[ $- != *x* ]] || trace=(-x)
  if [ "$(id -u)" != 0 ]; then
    [ -z "${world_root:-}" ] || skip "not root"
    as_root=(--map-root-user)
  fi
  command -v nix-store >/dev/null || skip "no Nix"
  unshare "${as_root[@]}" --mount true 2>/dev/null || skip "no mount name space for this user"
  mkdir -p /nix 2>/dev/null || skip "no directory /nix to mount on"
  dir=$(mktemp -d "${world_in:-${TMPDIR:-/tmp}}/domstrap-test.XXXXXX")
  # shellcheck disable=SC2064 # now is when dir is known
  trap "wipe '$dir'" EXIT
  export WORLD=$dir
  unshare "${as_root[@]}" --mount bash "${trace[@]}" "$0" "$@" || status=$?
  exit "$status"
}

settle_in() {
  root=$WORLD/root work=$WORLD/work out=$WORLD/out
  mkdir -p "$root/nix/store" "$work" "$out" "$WORLD/home" "$WORLD/conf"
  mount --bind "$root/nix" /nix
  export HOME=$WORLD/home NIX_CONF_DIR=$WORLD/conf NIX_REMOTE='' NIX_PATH='' XDG_CACHE_HOME=$WORLD/home
  unset SOURCE_DATE_EPOCH
  cat >"$NIX_CONF_DIR/nix.conf" <<-CONF
	sandbox = false
	build-users-group =
	substituters =
	fsync-metadata = false
	experimental-features = nix-command
	CONF
  cd "$work"
}

[[ $- != *x* ]] || PS4='+ $SECONDS '
[ -n "${WORLD:-}" ] || enter_world "$@"
# A trace (bash -x) stays out of what is looked at.
exec 9>&2
BASH_XTRACEFD=9
settle_in
