# Functions for tests that report each check. Sourced first; sources scripts/common.sh. Each check prints a line "ok WHAT"
# or "not ok WHAT"; finish is the last command: "N passed, N failed", status 0 if none failed, else 1.
# shellcheck shell=bash source-path=SCRIPTDIR/..
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/common.sh"

passed=0 failed=0
ok() { echo "ok $1"; passed=$((passed + 1)); }
bad() { echo "not ok $1"; failed=$((failed + 1)); }
check() { # check WHAT COMMAND...
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then ok "$what"; else bad "$what: $(head -n 5 <<<"$said" | tr '\n' ' ')"; fi
}
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; false; }; }
finish() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
usage() { echo "usage: ${0##*/} $*" >&2; exit 2; }

# options: print all long options in a text, found in another way than by completion/generate.py
options() { grep -oE -- '(^|[^-[:alnum:]])--[a-z][-a-z0-9]+' | sed 's/^[^-]*//' | sort -u; }

# scratch: make a directory (in logs, if that is set) that at_end removes, and set dir to it
scratch() {
  dir=$(mktemp -d ${logs:+-p "$logs"})
  trap at_end EXIT
}
remove_scratch() {
  chmod -R u+w "$dir" 2>/dev/null || true
  rm -rf "$dir"
}
at_end() { remove_scratch; }
