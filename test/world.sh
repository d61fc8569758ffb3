# A separate world for a test with real Nix: a mount name space in which /nix is a temporary directory, so that Nix cannot
# reach the host's store. Sourced first, by create/lib.sh and update/lib.sh; needs DOMSTRAP. Sets WORLD, a directory, and
# below it root, whose nix/ is mounted on /nix, work, the test's working directory, and out.
#   world_in     where WORLD is made (default: TMPDIR, or /tmp)
#   world_root   not empty: the user must be root, and not only in a user name space
# shellcheck shell=bash
# shellcheck disable=SC2034 # set for the scripts that source this
set -euo pipefail
: "${DOMSTRAP:?}"
export LC_ALL=C TZ=UTC
umask 022

skip() { echo "skipped: $*" >&2; exit 77; }
fail() { # with KEEP_GOING=1, for developing tests, continue
  echo "FAILED: $*" >&2
  [ -n "${KEEP_GOING:-}" ] || exit 1
}

# ends STATUS WORDS COMMAND...: domstrap ends with STATUS, and its output (stdout and stderr, in the file said) matches WORDS
ends() {
  local status=$1 words=$2 got=0
  shift 2
  "$DOMSTRAP" "$@" >"$work/said" 2>&1 || got=$?
  [ "$got" = "$status" ] || { cat "$work/said" >&2; fail "status $got, not $status: $*"; }
  grep -Eq -- "$words" "$work/said" || { cat "$work/said" >&2; fail "not said: $words: $*"; }
}

# same_image A B: compare two images byte for byte, without reading their holes
same_py=$(dirname "${BASH_SOURCE[0]}")/same.py
same_image() { "$same_py" "$@" >&2; }

. "$(dirname "${BASH_SOURCE[0]}")/flip.sh"

# chosen N: whether to test step N of many similar ones; with TEST_SHORT (scripts/test.sh --other), every fourth
chosen() { [ -z "${TEST_SHORT:-}" ] || [ $(($1 % 4)) = 0 ]; }

# Store paths are read-only, so only root could remove them without chmod.
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
# Keep a trace (bash -x) out of the output that tests check.
exec 9>&2
BASH_XTRACEFD=9
settle_in
