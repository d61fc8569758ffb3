# Functions for the tests of verify, inspect and check, in the world of test/update. Sourced first.
# shellcheck shell=bash source-path=SCRIPTDIR
# shellcheck disable=SC2034 # set for the scripts that source this
tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$tools/../update/lib.sh"

# where IMAGE PATH: print the offset in the image at which a file's data begins
where() {
  local block base=0
  [ "$(part "$1")" = "$1" ] || base=1048576
  block=$(debugfs -R "bmap $2 0" "$(part "$1")" 2>/dev/null)
  [ "$block" -gt 0 ] || fail "$1 has no $2"
  echo $((base + block * 4096))
}

# ends STATUS WORDS COMMAND...: domstrap ends with STATUS, and its output (stdout and stderr, in the file said) matches WORDS
ends() {
  local status=$1 words=$2 got=0
  shift 2
  "$DOMSTRAP" "$@" >said 2>&1 || got=$?
  [ "$got" = "$status" ] || { cat said >&2; fail "status $got, not $status: $*"; }
  grep -Eq -- "$words" said || { cat said >&2; fail "not said: $words: $*"; }
  ! grep -q $'[\001-\010\013-\037\177-\377]' said || { od -c said | head >&2; fail "bytes for a terminal: $*"; }
}
