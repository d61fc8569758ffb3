#!/bin/bash
# Commands that change or read a guest, and create, on one disk and on two, with every read, allocation, write and sync
# failing in turn: see faults.py for what must be true, and how to test every step.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # lib.sh sets here
. "$(dirname "$0")/lib.sh"
make_guests

# ---- unreadable is not missing ----

# refused WORDS COMMAND...: an error that matches WORDS, and nothing has changed
refused() {
  local words=$1 before
  shift
  before=$(sha256sum h-*.img)
  "$DOMSTRAP" "$@" >out 2>log && fail "$*: it says that it succeeded, with $place"
  grep -q -- "$words" log || { cat log >&2; fail "$*: does not say '$words'"; }
  [ "$before" = "$(sha256sum h-*.img)" ] || fail "$*: refused, and the disks changed"
}
block_of() { debugfs "$1" -R "blocks $2" 2>/dev/null | awk '{print $1}'; }
changes=("update h.cfg --system $(system 3)" "rollback h.cfg" "gc h.cfg --keep 1" "generations h.cfg")

# One wrong byte in a directory: in the root of /boot, and in the directory of profiles.
for place in 'h-boot.img <2>' 'h-root.img /nix/var/nix/profiles'; do
  read -r disk path <<<"$place"
  at=$(($(block_of "$disk" "$path") * 4096 + 40))
  flip "$disk" $at
  for c in "${changes[@]}"; do
    # shellcheck disable=SC2086
    refused 'checksum' $c
  done
  cp --sparse=always saved/h-*.img .
done

# A bad sector in files and the directory of a generation, and in the menu.
for place in "h-root.img $(system 1)/kernel-params" "h-root.img $(system 2)" "h-root.img $(system 1)/nixos-version" \
  'h-boot.img /grub/grub.cfg' 'h-root.img /nix/var/nix/db/db.sqlite'; do
  read -r disk path <<<"$place"
  export FAULT_BAD=$disk:$(($(block_of "$disk" "$path") * 4096)) LD_PRELOAD=$FAULTS
  for c in "${changes[@]}"; do
    case "$path $c" in
      *db.sqlite\ rollback*) continue ;; # it needs none of it
    esac
    # shellcheck disable=SC2086
    refused 'Input/output error' $c
  done
  unset FAULT_BAD LD_PRELOAD
done

# ---- every step ----

exec python3 -B "$here/faults.py"
