#!/bin/bash
# domstrap inspect and list: their output matches that of blkid, sfdisk, nix-store and domgrub, for guests and for other
# disks.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${DOMGRUB:?}"

mkdir xen
"$DOMSTRAP" create one --system "$(system 1)" -q --vif none --size 96M -o xen
"$DOMSTRAP" create two --system "$(system 1)" -q --vif none --size 96M --layout split --boot-size 24M -o xen --type pvh
"$DOMSTRAP" create direct --system "$(system 1)" -q --vif none --size 96M --boot direct -o xen
"$DOMSTRAP" update xen/one.cfg --system "$(system 2 special)" -q
cat >look.py <<'PY'
import json, subprocess, sys

def run(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout

def titles(entries):
    for e in entries:
        assert e["error"] is None, e
        yield e["title"]
        yield from titles(e.get("entries", []))

guest, domstrap, domgrub = sys.argv[1:]
o = json.loads(run(domstrap, "inspect", "--json", "--paths", f"xen/{guest}.cfg"))
assert o["schema"] == 1 and o["config"]["name"] == guest
assert o["domain"]["known"] or o["domain"]["reason"]
for d in o["disks"]:
    for p in d["partitions"] or [d]:
        fs, start = p["fileSystem"], p.get("start", 0)
        theirs = dict(line.split("=", 1) for line in
                      run("blkid", "-p", "-O", str(start), "-o", "export", d["path"]).splitlines() if "=" in line)
        assert (fs["type"], fs["label"], fs["uuid"]) == (theirs["TYPE"], theirs["LABEL"], theirs["UUID"]), (fs, theirs)
        free = run("debugfs", "-R", "stats -h", f"{d['path']}?offset={start}")
        field = lambda name: int([l.split(":")[1] for l in free.splitlines() if l.startswith(name)][0])
        assert fs["size"] == field("Block count:") * 4096 and fs["free"] == field("Free blocks:") * 4096
    if d["partitions"]:
        table = json.loads(run("sfdisk", "-J", d["path"]))["partitiontable"]
        assert [(p["start"], p["size"]) for p in d["partitions"]] == \
            [(p["start"] * 512, p["size"] * 512) for p in table["partitions"]]
listed = [l for l in run(domgrub, "-l", *[d["path"] for d in o["disks"][:1]]).splitlines() if l.startswith("title: ")]
ours = list(titles(o["menu"]["entries"]))
assert len(listed) <= len(ours) and listed[0][7:] == ours[0], (listed, ours)
assert [e["default"] for e in o["menu"]["entries"]].index(True) == 0
assert [k.rsplit("/", 1)[1].endswith("bzImage") for k in o["kernels"]] == [True]
nixos = o["nixos"]
generations = json.loads(run(domstrap, "generations", "--json", f"xen/{guest}.cfg"))["generations"]
assert nixos["generations"] == generations
assert nixos["missing"] == [] and nixos["unregistered"] == []
for p in nixos["paths"]:
    size, digest = run("nix-store", "-q", "--size", p["path"]), run("nix-store", "-q", "--hash", p["path"]).strip()
    hexadecimal = run("nix-hash", "--to-base16", "--type", "sha256", digest.split(":")[1]).strip()
    assert p["narSize"] == int(size) and p["narHash"] == "sha256:" + hexadecimal
PY
for guest in one two direct; do
  python3 look.py $guest "$DOMSTRAP" "$DOMGRUB" || fail "inspect $guest"
  ends 0 '^menu .*grub.cfg' inspect -v xen/$guest.cfg
done
grep -q 'args .*init=/nix/store' said || fail "-v without arguments"
# From another directory, with relative paths; only an image.
sed 's,/.*/xen/,,' xen/one.cfg >xen/moved.cfg
ends 0 'ext4 "NIXOS"' inspect xen/moved.cfg
rm xen/moved.cfg
ends 0 'ext4 "NIXOS"' inspect xen/one.img
if [ -z "$(command -v xl)" ]; then grep -q 'domain .*unknown: .*no xl' said || fail "the lack of xl is not said"; fi

# A root on LVM2.
cat >vg <<'END'
v-g { id = "AAAAAA-0000-0000-0000-0000-0000-AAAAAA" seqno = 1 extent_size = 2048
physical_volumes { pv0 { id = "000000-0000-0000-0000-0000-0000-000000" dev_size = 262144 pe_start = 2048 pe_count = 127 } }
logical_volumes { root { id = "llllll-0000-0000-0000-0000-0000-llllll" status = ["VISIBLE"] segment_count = 1
segment1 { start_extent = 0 extent_count = 100 type = "striped" stripe_count = 1 stripes = ["pv0", 2] } }
thin { id = "llllll-0000-0000-0000-0000-0000-mmmmmm" status = ["VISIBLE"] segment_count = 1
segment1 { start_extent = 0 extent_count = 1 type = "thin" thin_pool = "p" } } } }
contents = "Text Format Volume Group"
version = 1
END
truncate -s 1M lvm.img
python3 -I -S "$tools/../../lib/disk/test/lvm.py" label vg pv0 lvm.img
tail -c +1048577 xen/one.img >root.fs
python3 -I -S "$tools/../../lib/disk/test/lvm.py" put vg root root.fs pv0=lvm.img
ends 0 '^volumes +lvm/v--g-root, 100 MiB; ext4 "NIXOS"' inspect lvm.img
grep -q "lvm/v--g-thin, 0 B; (lvm/v--g-thin): type thin is not supported" said || { cat said >&2; fail "no thin volume"; }
grep -q "disk .*; (hd0): a physical volume of LVM2's group \"v-g\"" said || { cat said >&2; fail "no physical volume"; }
ends 0 'root device: label NIXOS found' check lvm.img
ends 0 '^ +2\* ' generations lvm.img
for command in rollback gc; do
  ends 1 "lvm.img: /nix/store is on ext4 on LVM2 or half of a RAID1, .lvm/v--g-root.; only a root on ext4 directly on a disk" \
    $command lvm.img
done
rm lvm.img root.fs
# What is no system is refused, too, wherever its store is: see test-roots.sh for those that are.
if command -v mkfs.btrfs >/dev/null; then
  mkdir -p tree/nix/store tree/boot/grub
  echo 'menuentry T { linux /boot/k; }' >tree/boot/grub/grub.cfg
  : >tree/boot/k
  for at in "" @ @root; do
    rm -rf other
    mkdir -p "other/$at"
    cp -r tree/* "other/$at/"
    rm -f other.img && truncate -s 120M other.img
    mkfs.btrfs -q -r other other.img >/dev/null 2>&1
    before=$(sha256sum <other.img)
    for command in rollback gc "update --system $(system 2 special)"; do
      # shellcheck disable=SC2086
      ends 1 "other.img: /nix/store is on btrfs, .hd0.; only a root on ext4" $command other.img
    done
    ends 1 'other.img: .*/nix/var' generations other.img
    [ "$(sha256sum <other.img)" = "$before" ] || fail "btrfs was changed"
  done
  ends 0 'NixOS +none: other.img: ' inspect other.img
  rm -r tree other other.img
fi

ends 0 '^one ' list xen
[ "$(wc -l <said)" = 4 ] || { cat said >&2; fail "list of three guests"; }
"$DOMSTRAP" list --json xen >said
python3 -c '
import json
o = json.load(open("said"))
assert o["schema"] == 1 and [(g["name"], g["type"], g["generation"]) for g in o["guests"]] == [
    ("direct", "pv", 1), ("one", "pv", 2), ("two", "pvh", 1)], o'
mkdir none
"$DOMSTRAP" list none --json | jq -e '.guests == []' >/dev/null || fail "an empty directory"
ends 1 'no/such' list no/such
printf 'name = "lost"\ndisk = [ "/no/such.img,raw,xvda,w" ]\n' >xen/lost.cfg
ends 0 '^lost +pv +- ' list xen
ends 1 'no/such.img' inspect xen/lost.cfg
printf 'name = "q\033"\ndisk = [ "q.qcow2,qcow2,xvda,w" ]\n' >xen/q.cfg
ends 0 'cannot be read: format qcow2' inspect xen/q.cfg
ends 0 'q.x1b' list xen

# Disks that are not guests, and damaged ones.
mkfs.vfat -n STICK -C fat.img 4096 >/dev/null
ends 0 'vfat "STICK"' inspect fat.img
grep -q '^NixOS *none' said || fail "a stick with NixOS"
truncate -s 64M gpt.img
sfdisk -q gpt.img <<'PARTS'
label: gpt
size=10M, name="first\x1b"
size=20M
PARTS
ends 0 'partition 2, 20.0 MiB' inspect gpt.img
: >empty
ends 0 'empty' inspect empty
head -c 3000000 /dev/urandom >noise
ends 0 'noise' inspect noise
cp --sparse=always xen/one.img short.img
truncate -s 20M short.img
ends 0 'short.img' inspect short.img
cp --sparse=always xen/one.img odd.img
printf 'menuentry "a\033[31mb\377" { linux /x }\n' >grub.cfg
debugfs -w -R 'rm /boot/grub/grub.cfg' 'odd.img?offset=1048576' >/dev/null 2>&1
debugfs -w -R 'write grub.cfg /boot/grub/grub.cfg' 'odd.img?offset=1048576' >/dev/null 2>&1
debugfs -w -R $'set_super_value volume_name N\001\033[0m' 'odd.img?offset=1048576' >/dev/null 2>&1
ends 0 'x1b\[31mb.*xff' inspect odd.img
"$DOMSTRAP" inspect --json odd.img >said
LC_ALL=C grep -q $'[\001-\010\013-\037\177-\377]' said && fail "bytes for a terminal in JSON"
python3 -c 'import json; json.load(open("said"))'

ends 2 'missing GUEST' inspect
ends 2 'unknown option "--no-fsck"' inspect --no-fsck one.img
ends 2 'neither a file nor a block device' inspect .
ends 1 'No such file' inspect no/such
ends 2 'one.cfg .*two.cfg' inspect xen/one.cfg xen/two.cfg
echo "test-inspect.sh: ok"
