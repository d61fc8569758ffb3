#!/bin/bash
# The image of an unusual closure, read by independent tools: e2fsck, libext2fs, the kernel, sfdisk, real Nix.
. "$(dirname "$0")/lib.sh"

system=$(build strange)
echo 'a configuration' >"$work/configuration.nix"
nix-store --generate-binary-cache-key test-1 "$work/key" "$work/key.pub"
nix store sign --key-file "$work/key" --recursive "$system"
nix-store --optimise 2>/dev/null
create g1 --system "$system" -o "$out" --boot direct --configuration "$work/configuration.nix" -q
image=$out/g1.img

# ---- the table, the file system ----

clean "$image"
sfdisk --verify "$image" >/dev/null || fail "sfdisk --verify"
sfdisk -d "$image" | grep -Eq 'start= *2048, .*type=83' || fail "the partition is not where it should be"
[ "$(sfdisk -d "$image" | grep -c start=)" = 1 ] || fail "not one partition"
debugfs -R 'stats -h' "$image?offset=$start" 2>/dev/null | grep -q 'volume name: *NIXOS' || fail "label"

# ---- the closure ----

list_closure "$system" >"$work/host"
list_image "$image" >"$work/image"
same "$work/host" "$work/image" "the image's store is not the host's"
[ "$(wc -l <"$work/host")" -gt 52000 ] || fail "the closure is too small to say much"
awk '$4 != 0 || $5 != 0 || $6 != 1' "$work/image" >"$work/odd"
[ ! -s "$work/odd" ] || { head "$work/odd"; fail "owners or times are not canonical"; }
awk '{print $1 $3}' "$work/image" | sort | uniq >"$work/modes"
printf '%s\n' d0555 f0444 f0555 l0777 >"$work/modes.want"
same "$work/modes.want" "$work/modes" "modes are not canonical"

# ---- the rest of the root ----

at() { debugfs -R "$1" "$image?offset=$start" 2>/dev/null; }
target() { at "stat $1" | sed -n 's/^Fast link dest: "\(.*\)"$/\1/p'; }
mode() { at "stat $1" | sed -n 's/.*Mode: *\([0-7]*\).*/\1/p'; }
owner() { at "stat $1" | sed -n 's/^User: *\([0-9]*\) *Group: *\([0-9]*\).*/\1:\2/p'; }

[ "$(at 'cat /etc/nixos/configuration.nix')" = 'a configuration' ] || fail "configuration.nix"
[ "$(at 'cat /root/.nix-channels')" = 'https://channels.nixos.org/nixos-25.11 nixos' ] || fail "channel"
[ "$(target /nix/var/nix/profiles/system)" = system-1-link ] || fail "profile"
[ "$(target /etc/mtab)" = /proc/mounts ] || fail "mtab"
[ "$(mode /nix/store) $(owner /nix/store)" = "01775 0:30000" ] || fail "/nix/store: $(mode /nix/store) $(owner /nix/store)"
[ "$(mode /tmp) $(mode /root) $(mode /etc) $(mode /etc/NIXOS)" = "01777 0700 0755 0644" ] || fail "modes of the root"
[ "$(mode /lost+found)" = 0700 ] || fail "lost+found"

# ---- beside the image ----

cmp "$out/g1.kernel" "$system/kernel"
cmp "$out/g1.initrd" "$system/initrd"
grep -Fqx "cmdline = \"init=$system/init panic=30 loglevel=4 console=hvc0\"" "$out/g1.cfg" || fail "cmdline"
# xl's syntax is nearly that of Python.
! command -v perl >/dev/null || perl -ne 'next if /^\s*(#.*)?$/ or /^\w+ = (\d+|"[^"]*")$/ or /^\w+ = \[$/ ... /^\]$/; print "line $.: $_"; exit 1' \
  "$out/g1.cfg" || fail "the config does not parse"

# ---- the other layout ----

create g2 --system "$system" -o "$out" --layout split --boot pygrub --boot-size 64M -q
clean "$out/g2-boot.img" 0
clean "$out/g2-root.img" 0
debugfs -R 'cat /grub/grub.cfg' "$out/g2-boot.img" 2>/dev/null | grep -Eq '^ *linux /kernels/' || fail "menu on the boot disk"
"$TOOLS/list" "$out/g2-boot.img" 0 /kernels >"$work/kernels"
[ "$(grep -c "$(sha256sum <"$system/kernel" | cut -d' ' -f1)" "$work/kernels")" = 1 ] || fail "kernel on the boot disk"
rm "$out"/g2*

# ---- real Nix ----

# In a directory; if possible, the image is mounted there.
guest=$WORLD/mnt
if [ -z "$no_loop" ]; then
  mounted "$image" "$guest" ro
  diff <(cd /nix/store && nix-store -qR "$system" | sed 's,.*/,,' | sort) <(ls "$guest/nix/store")
  for path in $(nix-store -qR "$system"); do
    diff -r --no-dereference "$path" "$guest$path" >"$work/diff" || { head "$work/diff"; fail "the kernel reads $path otherwise"; }
    find "$path" -printf '%y %m %U %G %T@ %l %P\n' | sort >"$work/a"
    find "$guest$path" -printf '%y %m %U %G %T@ %l %P\n' | sort >"$work/b"
    same "$work/a" "$work/b" "the kernel lists $path otherwise"
  done
  umount "$guest"
  # From here on with writes: Nix opens its database, the kernel creates and removes files in the large directory.
  cp --sparse=always "$image" "$work/copy.img"
  mounted "$work/copy.img" "$guest"
else
  mkdir "$guest"
  at "rdump / $guest" >/dev/null
fi
of_guest=(--store "$guest")
nix-store "${of_guest[@]}" --verify --check-contents 2>"$work/verify" || { cat "$work/verify"; fail "nix-store --verify"; }
! grep -Eiv 'reading the Nix store|checking|^$' "$work/verify" || fail "nix-store --verify says something"
nix-store "${of_guest[@]}" --gc --print-dead >"$work/dead" 2>/dev/null
[ ! -s "$work/dead" ] || { cat "$work/dead"; fail "nix-store --gc finds dead paths"; }
nix-store "${of_guest[@]}" --gc --print-roots 2>/dev/null | grep -q "system-1-link -> $system" || fail "the profile is no root"
nix-env "${of_guest[@]}" -p "$guest/nix/var/nix/profiles/system" --list-generations >"$work/generations" 2>/dev/null
grep -Eq '^ +1 +1970-01-01 00:00:01 +\(current\)' "$work/generations" || { cat "$work/generations"; fail "generations"; }

# What Nix reports about each path, in the image and on the host; registration times differ.
describe() { nix path-info "$@" --json --recursive "$system" | jq -S 'map(del(.registrationTime, .ultimate)) | sort_by(.path)'; }
if command -v jq >/dev/null; then
  describe >"$work/here"
  describe "${of_guest[@]}" >"$work/there"
  same "$work/here" "$work/there" "what Nix knows of the paths"
  [ "$(jq '[.[] | select(.signatures)] | length' "$work/there")" -gt 10 ] || fail "no signatures"
  [ "$(jq '[.[] | select(.ca)] | length' "$work/there")" -gt 3 ] || fail "no content addresses"
fi
if [ -z "$no_loop" ]; then
  many=$(cd "$guest/nix/store" && echo ./*-directories/many)
  cd "$guest/nix/store/$many"
  seq -f 'new-%05g' 300 | xargs touch
  seq -f 'entry-%05g-of-many' 1000 1500 | xargs rm
  cd "$work"
  umount "$guest"
  clean "$work/copy.img"
fi
echo "strangers agree"
