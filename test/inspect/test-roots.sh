#!/bin/bash
# NixOS roots that are not one ext4: XFS, btrfs without and with subvolumes, logical volumes, halves of a mirror, /nix and
# /boot on file systems of their own. generations, inspect, list and verify read them, and find the damage in them; the
# commands that change a guest refuse, by name, and change nothing. The trees are made by Nix, as its installer makes them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
command -v mkfs.btrfs >/dev/null && command -v mkfs.xfs >/dev/null || skip "no mkfs.btrfs or mkfs.xfs"
trees=$(realpath "$tools/../../lib/fs/test/trees.py") md=$(realpath "$tools/../../lib/disk/test/md.py") lvm=$(realpath "$tools/../../lib/disk/test/lvm.py")

# rooted N FSTAB: a system with this fstab
rooted() {
  nix-build -Q --no-out-link "$tools/../update/system.nix" --arg n "$1" --argstr fstab "$2" 2>build.log || {
    cat build.log >&2
    fail "building a system"
  }
}

# menu DIR PREFIX SYSTEM: a grub.cfg whose kernel is in the store, from the top of its file system at PREFIX
menu() {
  mkdir -p "$1"
  cat >"$1/grub.cfg" <<END
search --set=drive1 --file $2/store/$(basename "$3")/init
menuentry "NixOS" {
  linux (\$drive1)$2/store/$(basename "$(dirname "$(readlink "$3/kernel")")")/bzImage init=$3/init ${args:-console=hvc0}
  initrd (\$drive1)$2/store/$(basename "$(dirname "$(readlink "$3/initrd")")")/initrd
}
END
}

# tree FSTAB: t becomes a root with two generations; sets now to the system that boots
tree() {
  local before
  wipe t
  mkdir -p t/boot/grub t/etc
  before=$(rooted 1 "$1") now=$(rooted 2 "$1")
  nix copy --quiet --no-check-sigs --to "local?root=$PWD/t" "$before" "$now"
  mkdir -p t/nix/var/nix/profiles
  ln -s "$before" t/nix/var/nix/profiles/system-1-link
  ln -s "$now" t/nix/var/nix/profiles/system-2-link
  ln -s system-2-link t/nix/var/nix/profiles/system
  ln -s "$now/etc" t/etc/static
  chmod -R u+w t
  rm -rf t/nix/store/.links
  menu t/boot/grub "${2-/nix}" "$now"
}

image() { rm -f "$1" && truncate -s "$2" "$1"; }
make_btrfs() { image "$1" 160M && mkfs.btrfs -q -L "${3:-NIXOS}" -r "$2" "$1" >/dev/null 2>&1; }
make_xfs() {
  python3 -I -S "$trees" proto "$2" >layout
  image "$1" 320M && mkfs.xfs -q -L "${3:-NIXOS}" -p layout "$1"
}

# read_all NAME PLACE KIND DISK...: everything that reads, and all that does not change
read_all() {
  local name=$1 place=$2 kind=$3 sum
  shift 3
  sum=$(stat -c '%n %y %b' "$@")
  ends 0 '^ +2\*  .*25.11.002 +6.12.40 ' generations "$@"
  [ "$(grep -c '^ *[12]' said)" = 2 ] && [ "$(wc -l <said)" = 3 ] || { cat said >&2; fail "$name: generations"; }
  "$DOMSTRAP" generations --json "$@" >said || fail "$name: generations --json"
  jq -e --arg now "$now" '[.generations[] | [.generation, .current, .default, .bootable, .ownBytes > 0]] ==
    [[1, false, false, true, true], [2, true, true, true, true]] and .boot.by == "menu" and .boot.initFound
    and .boot.system == $now and .generations[1].activated' said >/dev/null || { cat said >&2; fail "$name: generations --json"; }
  ends 0 '^ +2\* ' inspect "$@"
  "$DOMSTRAP" inspect --json --paths "$@" >said || fail "$name: inspect --json"
  jq -e --arg kind "$kind" --arg place "$place" '.nixos | .changeable == false and .device == $place and .missing == [] and
    .unregistered == [] and (.paths | length) > 8' said >/dev/null || { jq .nixos said >&2; fail "$name: inspect --json"; }
  ends 0 '^OK: [0-9]+ store paths verified .*, and 1 menu entries' verify "$@"
  grep -Eq "^unknown: .*: the $kind file system itself was not checked" said || { cat said >&2; fail "$name: the check that is missing"; }
  ends 0 '^OK: ' verify --no-fsck "$@"
  [ "$(grep -vc "a physical volume of LVM2" said)" = 1 ] || { cat said >&2; fail "$name: more is said"; }
  for command in "update --system $now" rollback "rollback --dry-run" confirm gc; do
    # shellcheck disable=SC2086
    ends 1 ".*: /nix/store is on $kind.*, .$place.; only a root on ext4 directly on a disk or partition can be changed" \
      $command "$@"
  done
  [ "$(stat -c '%n %y %b' "$@")" = "$sum" ] || fail "$name: a disk was changed"
  echo "ok $name"
}

tree 'LABEL=NIXOS / xfs x-initrd.mount 0 1'
make_xfs xfs.img t
read_all xfs hd0 xfs xfs.img
cp xfs.img other.img
ends 1 '\(hd0\) and \(hd1\): both have a /nix/store' generations xfs.img other.img
rm other.img

# Half of a mirror.
for version in 1.0 1.2; do
  image half.img 330M
  python3 -I -S "$md" $version xfs.img half.img
  read_all "half of a mirror, metadata $version" hd0 xfs half.img
done
rm half.img

# A byte of a file, in a file system that has no checksums of data.
bash=$(basename "$(nix-store -qR "$now" | grep -- -bash-5.2)")
python3 -I -S - xfs.img <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    at = f.read().index(b"b" * 100000) + 54321
    f.seek(at)
    f.write(b"c")
PY
ends 4 "^error: /nix/store/$bash: differs from the Nix database" verify xfs.img

# A logical volume: the fstab has the names of device mapper.
volume() { # IMAGE FS
  cat >vg <<'END'
v-g { id = "AAAAAA-0000-0000-0000-0000-0000-AAAAAA" seqno = 1 extent_size = 2048
physical_volumes { pv0 { id = "000000-0000-0000-0000-0000-0000-000000" dev_size = 1048576 pe_start = 2048 pe_count = 400 } }
logical_volumes { root { id = "llllll-0000-0000-0000-0000-0000-llllll" status = ["VISIBLE"] segment_count = 1
segment1 { start_extent = 0 extent_count = 330 type = "striped" stripe_count = 1 stripes = ["pv0", 2] } } } }
contents = "Text Format Volume Group"
version = 1
END
  image "$1" 1M
  python3 -I -S "$lvm" label vg pv0 "$1"
  python3 -I -S "$lvm" put vg root "$2" "pv0=$1"
  truncate -s 410M "$1"
}
tree "/dev/mapper/v--g-root / xfs x-initrd.mount 0 1"
make_xfs fs.img t
volume lvm.img fs.img
read_all "XFS on LVM2" lvm/v--g-root xfs lvm.img
tree '/dev/v-g/root / ext4 x-initrd.mount 0 1'
image fs.img 200M
mkfs.ext4 -q -L NIXOS -d t fs.img
volume lvm.img fs.img
read_all "ext4 on LVM2" lvm/v--g-root ext4 lvm.img
rm lvm.img fs.img

# btrfs: in one piece, and with what its fstab calls subvolumes; those are directories here. The snapshot has an older
# system, and the name that is found first.
tree '/dev/disk/by-label/NIXOS / btrfs x-initrd.mount 0 1'
make_btrfs btrfs.img t
read_all btrfs hd0 btrfs btrfs.img
tree $'UUID=0a0a0a0a-0000-4000-8000-000000000001 / btrfs rw,subvol=@ 0 0\nUUID=0a0a0a0a-0000-4000-8000-000000000001 /nix btrfs subvol=@nix,compress=zstd 0 0
/dev/disk/by-label/home /home btrfs defaults 0 0\n/dev/xvdz1 /data xfs nofail 0 0\ntmpfs /tmp tmpfs size=1G 0 0\n/swapfile none swap' /@nix
mkdir -p s/@old t/nix/old
cp -a t/nix s/@old/
rm s/@old/nix/var/nix/profiles/system-2-link
ln -sfn system-1-link s/@old/nix/var/nix/profiles/system
mv t/nix s/@nix
mkdir t/nix
mv t s/@
image sub.img 160M
mkfs.btrfs -q -U 0a0a0a0a-0000-4000-8000-000000000001 -r s sub.img >/dev/null 2>&1
wipe s
read_with_warnings() { # NAME WARNINGS DISK...: as read_all(), but generations also warns
  local name=$1 words=$2
  shift 2
  ends 0 "$words" generations "$@"
  grep -q '^ *2\*' said || { cat said >&2; fail "$name"; }
  ends 0 '^OK: [0-9]+ store paths verified' verify "$@"
  grep -Eq "${words#warning: }" said || { cat said >&2; fail "$name: verify has no warning"; }
}
read_with_warnings subvolumes '/home: not read: label home: on none of the disks' sub.img
read_with_warnings subvolumes '/data: not read: device /dev/xvdz1: on none of the disks' sub.img
rm sub.img

# Several disks: /nix of its own, a root in memory, a separate /boot, a bind.
tree $'/dev/disk/by-label/ROOT / ext4 x-initrd.mount 0 1\nLABEL=NIXOS /nix xfs defaults 0 0' ''
make_xfs nix.img t/nix
mv t/nix away && mkdir t/nix
image root.img 64M && mkfs.ext4 -q -L ROOT -d t root.img
mv away t/nix
read_all "ext4 with /nix on XFS" hd1 xfs root.img nix.img
rm root.img
tree $'tmpfs / tmpfs mode=755 0 0\n/dev/xvdb /nix xfs defaults 0 0\nLABEL=NIXBOOT /boot ext4 defaults 0 0
/nix/persist/etc /etc none bind 0 0' ''
mkdir -p t/nix/persist
mv t/etc t/nix/persist/
make_xfs nix.img t/nix
image boot.img 32M && mkfs.ext4 -q -L NIXBOOT -d t/boot boot.img
read_all "a root in memory, and a separate /boot" hd1 xfs boot.img nix.img
rm boot.img nix.img

# What the kernel's arguments say comes before the fstab.
args="root=/dev/disk/by-label/NIXOS rootflags=subvol=/one/two" tree 'LABEL=wrong / btrfs subvol=no 0 0' /one/two/nix
mkdir -p s/one
mv t s/one/two
make_btrfs args.img s
wipe s
ends 1 'no file system with a /nix/store in it' generations args.img # it is too deep to be looked for
args='' tree 'LABEL=wrong / btrfs subvol=no 0 0' /two/nix
mkdir s
mv t s/two
make_btrfs args.img s
read_with_warnings "fstab with a wrong label" '\(hd0\): taken for the root, without other file systems: label wrong: on none' args.img
args="root=/dev/xvda rootflags=x,subvol=/two" tree 'LABEL=wrong / btrfs subvol=no 0 0' /two/nix
wipe s
mkdir s
mv t s/two
make_btrfs args.img s
wipe s
read_all "root= and rootflags=" hd0 btrfs args.img
rm args.img

# GC roots that link to each other, in a ring: each is followed once.
tree 'LABEL=NIXOS / btrfs x-initrd.mount 0 1'
python3 -I -S - t/nix/var/nix/gcroots/ring <<'PY'
import os, sys
os.makedirs(sys.argv[1])
for i in range(20000):
    os.symlink(f"/nix/var/nix/gcroots/ring/{(i + 1) % 20000}", f"{sys.argv[1]}/{i}")
PY
make_btrfs ring.img t
ends 0 '^ +2\*  ' generations ring.img
rm ring.img

# A transaction that is only in the log of the Nix database.
tree 'LABEL=NIXOS / btrfs x-initrd.mount 0 1'
python3 -I -S - t/nix/var/nix/db <<'PY'
import os, shutil, sqlite3, sys
os.chdir(sys.argv[1])
db = sqlite3.connect("db.sqlite")
db.execute("pragma journal_mode=wal")
db.execute("pragma wal_autocheckpoint=0")
db.execute("update ValidPaths set hash = 'sha256:' || substr('0000000000000000000000000000000000000000000000000000000000000000', 1, 64)"
           " where path like '%-bash-5.2'")
db.commit()
for name in ("db.sqlite", "db.sqlite-wal"):
    shutil.copy(name, name + ".kept")
db.close()
for name in ("db.sqlite", "db.sqlite-wal"):
    os.rename(name + ".kept", name)
PY
make_btrfs wal.img t
ends 4 "^error: /nix/store/$bash: differs .*expected sha256:0{64}" verify wal.img
[ "$(grep -c ^error said)" = 1 ] || { cat said >&2; fail "more than one path differs"; }
rm wal.img

# Kernel and initrd on the host.
tree 'LABEL=NIXOS / xfs x-initrd.mount 0 1'
rm -r t/boot
make_xfs direct.img t
head -c 100000 /dev/zero >bzImage
cat >direct.cfg <<END
name = "direct"
kernel = "$PWD/bzImage"
cmdline = "init=$now/init"
disk = [ "$PWD/direct.img,raw,xvda,w" ]
END
ends 0 '^ +2\*  ' generations direct.cfg
ends 0 '^OK: ' verify direct.cfg
ends 0 '^direct +pv .* 25.11.002 ' list .
ends 1 'only a root on ext4' gc direct.cfg
rm direct.cfg direct.img

# Real subvolumes, packed files, and a default subvolume, where Linux can make them.
image real.img 256M
mkfs.btrfs -q -L NIXOS real.img >/dev/null 2>&1
mkdir m
if ! mount -o loop,compress-force=zstd real.img m 2>/dev/null; then
  echo "skipped: Linux does not mount btrfs here"
  echo "test-roots.sh: ok"
  exit 0
fi
subvolume() { btrfs subvolume "$@" >/dev/null; }
for name in root nix home; do subvolume create m/$name; done
id() { btrfs subvolume list m | awk -v name="$1" '$NF == name { print $2 }'; }
tree "/dev/disk/by-label/NIXOS / btrfs rw,subvol=/root 0 0
LABEL=NIXOS /nix btrfs subvolid=$(id nix),noatime 0 0
LABEL=NIXOS /home btrfs subvol=home 0 0" /nix
mv t/nix/* m/nix/
mv t/* m/root/
subvolume snapshot -r m/nix m/a-snapshot
subvolume snapshot -r m/root m/another
umount m
read_all "real subvolumes, packed" hd0 btrfs real.img
mount -o loop,compress-force=zstd real.img m
subvolume set-default "$(id root)" m
subvolume delete m/nix m/home
rm -rf m/root/*
tree "/dev/disk/by-label/NIXOS / btrfs rw 0 0" /nix
mv t/* m/root/
umount m
read_all "the default subvolume" hd0 btrfs real.img
echo "test-roots.sh: ok"
