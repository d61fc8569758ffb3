# Functions for the two recipes, in addition to ../xen/lib.sh. Sourced first, with the test's arguments DOMSTRAP DOMGRUB.
# Prepares real Nix, the demo's packages and the Xen rig, and changes to dir.
# Each command of a recipe is printed as it runs, marked "hand:" or "now:".
# shellcheck shell=bash
# shellcheck disable=SC2034 # set for the recipes
. "$(dirname "${BASH_SOURCE[0]}")/../xen/lib.sh"
[ $# = 2 ] || usage DOMSTRAP DOMGRUB
domstrap=$(readlink -f "$1") domgrub=$(readlink -f "$2")
export LC_ALL=C
umask 022

ready test demo xen
"$repo/demo/nixos/fetch.sh"
export DOMSTRAP_WORK=$work
nixpkgs=$repo/demo # has nixos/default.nix, like nixpkgs
nix_settings
loops=() mounts=()
at_end() {
  local x
  end_machines
  for ((x = ${#mounts[@]} - 1; x >= 0; x--)); do ! mountpoint -q "${mounts[x]}" || umount -l "${mounts[x]}"; done
  for x in "${loops[@]}"; do losetup -d "$x" 2>/dev/null || true; done
  remove_scratch
}
cd "$dir"

# The manual way needs root and loop devices; without them, only domstrap's way is tested.
by_hand=1
if [ "$(id -u)" != 0 ] || ! x=$(losetup --find 2>/dev/null) || [ ! -e "$x" ]; then by_hand=; fi

# ---- steps and commands ----

step() { printf '\n=== %s\n' "$*"; }
shown() { # shown MARK WORD...: print the command as typed in $dir
  local text=$1: word
  for word in "${@:2}"; do
    word=${word//$dir\//}
    [[ $word =~ ^[A-Za-z0-9_./:=,+@%-]+$ ]] || word="'$word'"
    text+=" ${word/#$domstrap/domstrap}"
  done
  echo "$text"
}
hand() { shown hand "$@"; "$@"; } # hand COMMAND...: a step of the recipe
now() { shown now "$domstrap" "$@"; "$domstrap" "$@"; } # now ARGUMENT...: the same with domstrap

# block WORDS: print the block of doc/recipes.md after the line that begins with WORDS, so that the document itself is tested
block() {
  awk -v words="$1" 'index($0, words) == 1 { on = 1; next }
    on && /^    / { sub("    ", ""); print; seen = 1; next }
    seen && !/^$/ { exit }' "$repo/doc/recipes.md"
}
# typed PASSWORD ARGUMENT...: run domstrap on its own terminal, and answer each question with PASSWORD
typed() {
  local password=$1 text='' char in out pid
  shift
  shown now "$domstrap" "$@"
  coproc script -qefc "$(printf '%q ' "$domstrap" "$@")" /dev/null
  pid=$COPROC_PID
  exec {in}<&"${COPROC[0]}" {out}>&"${COPROC[1]}"
  while IFS= read -r -d '' -n 1 -t 30 char <&"$in"; do
    text+=$char
    case $text in "Password of "*": " | "Retype the password: ") echo "$password" >&"$out"; echo "      $text(typed)"; text='' ;; *$'\n') text='' ;; esac
  done
  exec {in}<&- {out}>&-
  wait "$pid"
}

# ---- disks and trees ----

# attached IMAGE [OFFSET]: make a loop device, and set loop to it; mounted DEVICE DIR [OPTIONS]; released: undo all of
# these, which is also done at the end. (Not --partscan, because device nodes of partitions do not appear in a container.)
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

# listing ROOT: list everything except the contents of store paths: name, kind, mode, owner, link's target
listing() {
  (cd "$1" && find . -mindepth 1 \( -path './nix/store/*' -prune -o -printf '%P %y %m %U:%G %l\n' \)) | sort
}
# store ROOT: list each file of the store, with its time and the digest of its contents
store() {
  (cd "$1/nix/store" && find . -mindepth 1 \( -path './.links' -prune -o -printf '%P %y %m %U:%G %T@ %l\n' \) | sort
    find . -path './.links' -prune -o -type f -print0 | sort -z | xargs -0 sha256sum)
}
# database ROOT: print the contents of Nix's database, without registration times
database() {
  sqlite3 "file:$1/nix/var/nix/db/db.sqlite?immutable=1" \
    "select path, hash, narSize, deriver, sigs, ca from ValidPaths order by path;
     select a.path, b.path from Refs join ValidPaths a on a.id = referrer join ValidPaths b on b.id = reference order by 1, 2"
}
