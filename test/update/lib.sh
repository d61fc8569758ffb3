# Functions for the tests of generations. Sourced first; needs DOMSTRAP, the program, and FAULTS, the preloaded library.
# Gives each test its own world (../world.sh), in memory if possible.
# shellcheck shell=bash source-path=SCRIPTDIR/..
: "${FAULTS:?}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ ! -d /dev/shm ] || world_in=/dev/shm
world_root=1
. "$here/../world.sh"
mkdir "$WORLD/sys"

# system N [special] [some|none]: build it and print its store path; some and none are boot.initrd.secrets, see system.nix
system() {
  local link special=false
  link=$WORLD/sys/$(IFS=-; echo "$*")
  [ -z "${2:-}" ] || special=true
  [ -L "$link" ] || nix-build --no-out-link "$here/system.nix" --arg n "$1" --arg special $special --argstr secrets "${3:-}" \
    >"$WORLD/build.out" 2>"$WORLD/build.log" || { cat "$WORLD/build.log" >&2; fail "building system $1"; }
  [ -L "$link" ] || ln -s "$(cat "$WORLD/build.out")" "$link"
  readlink "$link"
}

# part IMAGE: print the name of its file system for e2fsck and debugfs
part() {
  if [ "$(od -An -tx2 -j1080 -N2 "$1" | tr -d ' ')" = ef53 ]; then echo "$1"; else echo "$1?offset=1048576"; fi
}

clean() { # IMAGE WHAT
  e2fsck -fn "$(part "$1")" >fsck.log 2>&1 || { cat fsck.log >&2; fail "$2: e2fsck finds faults in $1"; }
}

# unpack IMAGE DIR: copy its /nix and /boot to DIR
unpack() {
  rm -rf "$2"; mkdir -p "$2"
  debugfs "$(part "$1")" -R "rdump /nix $2" >/dev/null 2>&1
  debugfs "$(part "$1")" -R "rdump /boot $2" >/dev/null 2>&1
}

# sane DIR WHAT: nix-store --verify finds no errors in the unpacked store
sane() {
  nix-store --store "$PWD/$1" --verify --check-contents >verify.log 2>&1 || { cat verify.log >&2; fail "$2: nix-store --verify"; }
  grep -qE 'disappeared|modified|missing|error|warning' verify.log && { cat verify.log >&2; fail "$2: nix-store --verify"; }
  return 0
}

# entries DIR BOOT: the files of every entry of the menu exist
entries() {
  local path
  awk '$1 == "linux" || $1 == "initrd" {print $2} $1 == "linux" {sub("init=", "", $3); print $3}' "$2/grub/grub.cfg" |
    sort -u >entries.txt
  [ -s entries.txt ] || { echo "the menu is empty"; return 1; }
  while read -r path; do
    case $path in
      \(\$drive*\)/boot/* | \(\$drive*\)/nix/*) path=$1${path#*)} ;;
      \(\$drive*\)//kernels/* | /kernels/*) path=$2/kernels/${path##*/} ;;
      /nix/*) path=$1$path ;;
    esac
    [ -s "$path" ] || { echo "the menu names $path, which is not there"; return 1; }
  done <entries.txt
}

# repair IMAGE: replay the journal with e2fsck. It loses "?offset=" when it does, so a partition is copied to a file and back.
repair() {
  local status=0 at=$1
  [ "$(part "$1")" = "$1" ] || { at=part.img; rm -f $at; dd if="$1" of=$at bs=1M skip=1 conv=sparse status=none; }
  e2fsck -p "$at" >fsck.log 2>&1 || status=$?
  [ "$at" = "$1" ] || dd if=$at of="$1" bs=1M seek=1 conv=notrunc status=none
  [ $status -le 1 ] || { cat fsck.log >&2; return 1; }
}

# same_generations GUEST IMAGE DIR: domstrap and Nix list the same generations; unpacks the image
same_generations() {
  unpack "$2" "$3"
  "$DOMSTRAP" generations "$1" --json | python3 -c '
import json, sys
for g in json.load(sys.stdin)["generations"]:
    print(g["generation"], "current" if g["current"] else "")' >ours
  nix-env -p "$3/nix/var/nix/profiles/system" --list-generations |
    awk '{print $1, ($4 == "(current)" ? "current" : "")}' >theirs
  diff ours theirs || fail "generations differ from Nix's"
}

# dead DIR: paths that Nix would delete
dead() { nix-store --store "$PWD/$1" --gc --print-dead 2>/dev/null | grep /nix/store/ || true; }

# make_guests: make the guests for faults.py and torn.py (see guests.py) in the working directory
make_guests() {
  local s n
  for n in 1 2 3; do s=$(system $n); echo "$n $s" >>systems; done
  nix-store --generate-binary-cache-key test-1 secret public
  : >conf
  nix copy --to "file://$PWD/cache?compression=zstd&secret-key=$PWD/secret" "$(system 3)" 2>copy.log || { cat copy.log >&2; fail "nix copy"; }
  for n in g h; do
    s=(--layout single)
    [ $n = g ] || s=(--layout split --boot-size 20M)
    SOURCE_DATE_EPOCH=1700000000 "$DOMSTRAP" create $n --system "$(system 1)" -q --vif none --size 48M "${s[@]}"
    SOURCE_DATE_EPOCH=1700000000 "$DOMSTRAP" update $n.cfg --system "$(system 2)" -q
  done
  mkdir saved trial
  cp --sparse=always ./*.img ./*.cfg saved/
  for n in g h; do SOURCE_DATE_EPOCH=1700000050 "$DOMSTRAP" update $n.cfg --system "$(system 3)" --try -q; done
  cp --sparse=always ./*.img ./*.cfg trial/
  cp --sparse=always saved/* .
}
