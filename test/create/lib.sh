# Functions for the tests of "domstrap create". Sourced first; needs DOMSTRAP, the program, and TOOLS, the directory of
# list and meddle.so. Gives each test its own world (../world.sh).
# shellcheck shell=bash source-path=SCRIPTDIR/..
: "${TOOLS:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../world.sh"

# Whether loop devices and mounts are possible; if not, no_loop is the reason.
no_loop='' loops=()
if [ "$(awk '{print $3; exit}' /proc/self/uid_map)" -lt 4294967295 ]; then
  no_loop="not root"
elif ! losetup -f >/dev/null 2>&1; then
  no_loop="no loop devices"
fi

at_end() {
  for m in "$WORLD"/mnt*; do ! mountpoint -q "$m" || umount -l "$m"; done
  for l in "${loops[@]}"; do losetup -d "$l" 2>/dev/null || true; done
}
trap at_end EXIT

# ---- systems ----

# build KIND [ARGUMENT...]: build a system of system.nix; prints its store path
build() {
  local kind=$1
  shift
  nix-build -Q --no-out-link "$here/system.nix" --argstr kind "$kind" "$@" 2>"$work/build.log" ||
    { cat "$work/build.log" >&2; fail "nix-build $kind"; }
}

# ---- running domstrap ----

create() { "$DOMSTRAP" create "$@" </dev/null; }

# refused STATUS WORDS ARGUMENT...: create ends with STATUS, prints one line on stderr that matches WORDS (an extended
# regular expression), nothing on stdout, and adds no file to $out
refused() {
  local status=$1 words=$2 got=0 before
  shift 2
  before=$(ls -A "$out")
  create -q "$@" >"$work/stdout" 2>"$work/stderr" || got=$?
  [ "$got" = "$status" ] || { cat "$work/stderr" >&2; fail "status $got, not $status: create $*"; }
  grep -Eq -- "$words" "$work/stderr" || { cat "$work/stderr" >&2; fail "not said: $words: create $*"; }
  [ "$(grep -vc '^warning: ' "$work/stderr")" = 1 ] || { cat "$work/stderr" >&2; fail "not one line: create $*"; }
  [ ! -s "$work/stdout" ] || fail "text on stdout: create $*"
  [ "$(ls -A "$out")" = "$before" ] || { ls -lA "$out" >&2; fail "files are left: create $*"; }
  # So that the log has every message for review.
  echo "$got: $(cat "$work/stderr")"
}

# ---- reading images ----

start=1048576 # of the partition, in bytes

clean() { # clean IMAGE: e2fsck -f finds no errors
  e2fsck -fn "$1?offset=${2-$start}" >"$work/fsck" 2>&1 || { cat "$work/fsck" >&2; fail "e2fsck: $1"; }
  ! grep -Eiq 'fix|clear|optimi[sz]e|error' "$work/fsck" || { cat "$work/fsck" >&2; fail "e2fsck says: $1"; }
}

list() { "$TOOLS/list" "$@" | sort; }

same() { # same A B WHAT: compare two text files
  diff -u "$1" "$2" | head -n 20 >"$work/diff" || true
  [ ! -s "$work/diff" ] || { cat "$work/diff" >&2; fail "$3"; }
}

# List the host's store: only the closure of a system.
list_closure() {
  local path
  nix-store -qR "$1" | while read -r path; do
    "$TOOLS/list" "$path" | sed "s, , ${path##*/} ,"
  done | sort
}

list_image() {
  local path
  debugfs -R 'ls -p /nix/store' "$1?offset=$start" 2>/dev/null | awk -F/ 'NF > 5 && $6 !~ /^[.][.]?$/ {print $6}' |
    while read -r path; do
      "$TOOLS/list" "$1" "$start" "/nix/store/$path" | sed "s, , $path ,"
    done | sort
}

need_loop() { [ -z "$no_loop" ] || skip "$no_loop"; }

# mounted IMAGE DIR [OPTIONS]: mount the file system in the image
mounted() {
  mkdir -p "$2"
  mount -o "loop,offset=$start${3:+,$3}" "$1" "$2"
}
