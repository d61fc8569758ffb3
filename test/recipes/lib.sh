# What the two recipes share. Sourced first, with the program's arguments DOMSTRAP DOMGRUB. Sets dir (temporary) and
# logs (stays), and finds real Nix, the demo's packages and the Xen rig ready.
# Each command of a recipe is printed as it runs, marked "hand:" or "now:"; each check is a line "ok WHAT" or
# "not ok WHAT". finish ends the script: "N passed, N failed".
# shellcheck shell=bash
# shellcheck disable=SC2034 # what is set here is for the recipes
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/../../scripts/common.sh"
[ $# = 2 ] || { echo "usage: ${0##*/} DOMSTRAP DOMGRUB" >&2; exit 2; }
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
export LC_ALL=C
umask 022

"$repo/scripts/install-deps.sh" test demo xen
"$repo/test/xen/build.sh"
"$repo/demo/nixos/fetch.sh"
export DOMSTRAP_WORK=$work
nixpkgs=$repo/demo # has nixos/default.nix, as nixpkgs has
nix_settings
logs=$work/test-recipes/$(basename "$0" .sh)
mkdir -p "$logs"
dir=$(mktemp -d "$logs/run.XXXXXX")
machines=() loops=() mounts=()
set -m # each machine in a process group of its own, so that ^C here ends all of it
# shellcheck disable=SC2154 # x is assigned right there
at_end() {
  for x in "${machines[@]}"; do kill -- "-$x" 2>/dev/null || true; done
  for ((x = ${#mounts[@]} - 1; x >= 0; x--)); do ! mountpoint -q "${mounts[x]}" || umount -l "${mounts[x]}"; done
  for x in "${loops[@]}"; do losetup -d "$x" 2>/dev/null || true; done
  chmod -R u+w "$dir"
  rm -rf "$dir"
}
trap at_end EXIT
cd "$dir"

# What is done by hand wants root and loop devices; without them only the new way is tried.
by_hand=1
if [ "$(id -u)" != 0 ] || ! x=$(losetup --find 2>/dev/null) || [ ! -e "$x" ]; then by_hand=; fi

# ---- steps, commands, checks ----

passed=0 failed=0
step() { printf '\n=== %s\n' "$*"; }
shown() { # shown MARK WORD...: as one would type it in $dir
  local text=$1: word
  for word in "${@:2}"; do
    word=${word//$dir\//}
    [[ $word =~ ^[A-Za-z0-9_./:=,+@%-]+$ ]] || word="'$word'"
    text+=" ${word/#$domstrap/domstrap}"
  done
  echo "$text"
}
hand() { shown hand "$@"; "$@"; } # hand COMMAND...: as the recipe has it
now() { shown now "$domstrap" "$@"; "$domstrap" "$@"; } # now ARGUMENT...: as domstrap does it
result() { # result ok|"not ok" WHAT
  echo "$1 $2"
  if [ "$1" = ok ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
}
check() { # check WHAT COMMAND...
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then result ok "$what"; else result "not ok" "$what: $(head -n 5 <<<"$said" | tr '\n' ' ')"; fi
}
same() { [ "$1" = "$2" ] || { echo "'$1' is not '$2'"; false; }; }
finish() {
  printf '\n%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
  exit
}

# block WORDS: what doc/recipes.md shows after the line that begins with WORDS, so that it is the document that is tested
block() {
  awk -v words="$1" 'index($0, words) == 1 { on = 1; next }
    on && /^    / { sub("    ", ""); print; seen = 1; next }
    seen && !/^$/ { exit }' "$repo/doc/recipes.md"
}
# typed PASSWORD ARGUMENT...: domstrap on a terminal of its own, on which a person answers each question with PASSWORD
typed() {
  local password=$1 text='' char in out pid
  shift
  shown now "$domstrap" "$@"
  coproc script -qefc "$(printf '%q ' "$domstrap" "$@")" /dev/null
  pid=$COPROC_PID
  exec {in}<&"${COPROC[0]}" {out}>&"${COPROC[1]}"
  while IFS= read -r -d '' -n 1 -t 30 char <&"$in"; do
    text+=$char
    case $text in "Password of "*": " | "Once more: ") echo "$password" >&"$out"; echo "      $text(typed)"; text='' ;; *$'\n') text='' ;; esac
  done
  exec {in}<&- {out}>&-
  wait "$pid"
}

# ---- disks and trees ----

# attached IMAGE [OFFSET]: a loop device, in $loop; mounted DEVICE DIR [OPTIONS]; released: all of both undone, as it is
# at the end.
# (--partscan would do for a partition, but in a container its nodes do not appear.)
attached() {
  local options=(--find --show --offset "${2:-0}")
  shown hand losetup "${options[@]}" "$1"
  loop=$(losetup "${options[@]}" "$1")
  loops+=("$loop")
}
mounted() { mkdir -p "$2"; hand mount ${3:+-o "$3"} "$1" "$2"; mounts+=("$2"); }
released() {
  local x
  for ((x = ${#mounts[@]} - 1; x >= 0; x--)); do hand umount "${mounts[x]}"; done
  for x in "${loops[@]}"; do hand losetup -d "$x"; done
  mounts=() loops=()
}

# listing ROOT: all that is outside the store's paths: name, kind, mode, owner, link's target
listing() {
  (cd "$1" && find . -mindepth 1 \( -path './nix/store/*' -prune -o -printf '%P %y %m %U:%G %l\n' \)) | sort
}
# store ROOT: each file of the store, with its time and the digest of its contents
store() {
  (cd "$1/nix/store" && find . -mindepth 1 \( -path './.links' -prune -o -printf '%P %y %m %U:%G %T@ %l\n' \) | sort
    find . -path './.links' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}
# database ROOT: what Nix there knows; when a path was registered is nobody's business
database() {
  sqlite3 "file:$1/nix/var/nix/db/db.sqlite?immutable=1" \
    "select path, hash, narSize, deriver, sigs, ca from ValidPaths order by path;
     select a.path, b.path from Refs join ValidPaths a on a.id = referrer join ValidPaths b on b.id = reference order by 1, 2"
}

# ---- guests ----

# answers LOG SCRIPT GUEST: what the guest said to each check of the SCRIPT it ran
answers() {
  local line expected answered=0
  expected=$(grep -c '^ *check "' "$2")
  while read -r line; do
    answered=$((answered + 1))
    case $line in "ok "*) result ok "$3: ${line#ok }" ;; *) result "not ok" "$3: ${line#not ok }" ;; esac
  done < <(sed -n "s/^ *[0-9.]* [^|]*| CHECK //p" "$1")
  [ "$answered" = "$expected" ] || result "not ok" "$3: the guest answered $answered of $expected checks"
}
# outcome LOG CODE FAILED: where the machine ended with another code than 0 or more has FAILED since, the end of its log
outcome() {
  [ "$2" = 0 ] || result "not ok" "the machine ended with $2"
  [ "$failed" = "$3" ] || { echo "--- the end of $1:"; tail -n 60 "$1"; }
}
# For scripts that run in a guest: typed on its console, so short.
# shellcheck disable=SC2016
guest_functions='check() { n=$1; shift; o=$("$@" 2>&1) && echo "CHECK ok $n" || echo "CHECK not ok $n: $(echo "$o" | tail -n 3 | tr "\n" " ")"; }
same() { [ "$1" = "$2" ] || { echo "$1 is not $2"; false; }; }
has() { case "$1" in *"$2"*) ;; *) echo "no $2 in: $1"; false ;; esac; }'
