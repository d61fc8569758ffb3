#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the seeds of the binary targets btrfs (as root), disk_table, ext, ext_edit, fat, lvm, md, uki, xfs,
# iso9660 and jbd2 with the usual tools. The seeds are in git; this documents their origin.
# usage: seeds.sh CORPUS
set -eu
corpus=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MTOOLS_SKIP_CHECK=1 TZ=UTC

mkdir -p src/boot/grub src/nix
echo 'menuentry a { linux /nix/kernel }' >src/boot/grub/grub.cfg
head -c 3000 /dev/zero | tr '\0' k >src/nix/kernel
truncate -s 40000 src/holes && printf x | dd of=src/holes bs=1 seek=20000 conv=notrunc 2>/dev/null
printf y >src/tiny
ln -s boot src/link
ln -s "$(printf '%080d' 1)" src/long
for i in 1 2 3 4 5 6 7 8; do : >"src/nix/some-name-$i"; done

ext() {
	name=$1
	shift
	truncate -s "${size-100K}" "$name"
	mke2fs -q -F -N 32 -m 0 -E hash_seed=01234567-89ab-cdef-0123-456789abcdef \
		-U 01234567-89ab-cdef-0123-456789abcdef -L fuzz -d src "$@" "$name"
	cp "$name" "$corpus/ext/"
}
# The image itself is made by ext_image.c; these say what to do with it. Those named patch-* were
# written by hand: all steps, with one field of the image damaged.
mkdir -p "$corpus/ext_edit"
printf '\000\200' >"$corpus/ext_edit/look"
printf '\076\010' >"$corpus/ext_edit/add"
printf '\302\013' >"$corpus/ext_edit/drop"
printf '\377\117' >"$corpus/ext_edit/everything"
printf '\001\100' >"$corpus/ext_edit/grow"
printf '\000\020' >"$corpus/ext_edit/rename"
mkdir -p "$corpus/ext" "$corpus/fat" "$corpus/disk_table"
ext ext2 -t ext2 -b 1024
ext extents -t ext4 -O ^has_journal,^metadata_csum,^resize_inode -b 1024
ext checksums -t ext4 -O ^has_journal,^resize_inode -b 1024
ext inline -t ext4 -O ^has_journal,^metadata_csum,^resize_inode,inline_data -I 256 -b 1024
ext metabg -t ext4 -O ^has_journal,^metadata_csum,^resize_inode,meta_bg -b 1024
size=200K ext casefold -t ext4 -O ^has_journal,^metadata_csum,^resize_inode,casefold,large_dir -b 1024

# jbd2 NAME OPEN MKE2FS-OPTION...: the first blocks of a journal written by debugfs; the journal ends after them
jbd2() {
	name=$1 open=$2
	shift 2
	rm -f jbd2.img
	mke2fs -q -F -b 1024 "$@" jbd2.img 16M
	head -c 2048 /dev/zero | tr '\0' d >two
	printf '\300;9\230' | dd of=two conv=notrunc 2>/dev/null
	printf '%s\n' "$open" 'jw -b 40,41 two' 'jw -r 41,42' 'jw -b 42,43 two' 'jw -c -b 44 two' jc |
		debugfs -w -f - jbd2.img >/dev/null 2>&1
	first=$(debugfs -R 'blocks <8>' jbd2.img 2>/dev/null | cut -d ' ' -f 1)
	dd if=jbd2.img bs=1024 skip="$first" count=24 2>/dev/null >"$corpus/jbd2/$name"
	printf '\0\0\0\030' | dd of="$corpus/jbd2/$name" bs=1 seek=16 conv=notrunc 2>/dev/null
}
mkdir -p "$corpus/jbd2"
jbd2 plain jo -t ext3
jbd2 sums2 'jo -c -v 2' -t ext4
jbd2 sums3 'jo -c -v 3' -t ext4
jbd2 no64bit 'jo -c -v 3' -t ext4 -O ^64bit

# fill IMAGE
fill() {
	mcopy -i "$1" -s src/boot src/nix src/tiny ::
	echo long >'A rather long name.text' && mcopy -i "$1" 'A rather long name.text' ::
}
truncate -s 64K fat12
mkfs.fat -F 12 -n FUZZ -i 1234abcd -r 112 fat12 >/dev/null
fill fat12
cp fat12 "$corpus/fat/"

# shrink IMAGE RESERVED TABLE-SECTORS ROOT-SECTORS: mkfs.fat makes no smaller file
# system, so cut out all but the first sector of its only table, and most data.
shrink() {
	out=$corpus/fat/$1
	head -c $(($2 * 512)) "$1" >"$out"
	tail -c +$(($2 * 512 + 1)) "$1" | head -c 512 >>"$out"
	tail -c +$((($2 + $3) * 512 + 1)) "$1" | head -c $((($4 + 120) * 512)) >>"$out"
	printf "\\$(printf %03o $((($2 + 1 + $4 + 120) % 256)))\\0\\0\\0" |
		dd of="$out" bs=1 seek=32 conv=notrunc status=none
	printf '\0\0' | dd of="$out" bs=1 seek=19 conv=notrunc status=none
	printf '\1\0' | dd of="$out" bs=1 seek="$5" conv=notrunc status=none
}
truncate -s 36M fat32
mkfs.fat -F 32 -f 1 -s 1 -R 32 -n FUZZ -i 1234abcd fat32 >/dev/null
fill fat32
table=$(od -An -tu4 -j36 -N4 fat32 | tr -d ' ')
shrink fat32 32 "$table" 0 36

truncate -s 100K mbr
printf '%s\n' 'label: dos' 'mbr1: start=1,size=20,type=83' 'mbr2: start=30,size=100,type=5' \
	'mbr5: start=32,size=10,type=83' 'mbr6: start=50,size=10,type=83' | sfdisk -q --force mbr
cp mbr "$corpus/disk_table/"
truncate -s 100K gpt
printf '%s\n' 'label: gpt' 'first-lba: 34' 'name=root,size=20' | sfdisk -q gpt
cp gpt "$corpus/disk_table/"

# btrfs NAME MOUNT-OPTIONS MKFS-OPTION...: the blocks of one that have anything in them
btrfs() {
	name=$1 how=$2
	shift 2
	rm -f btrfs.img
	truncate -s 120M btrfs.img
	mkfs.btrfs -q -n 4096 -m single -d single -U 01234567-89ab-cdef-0123-0000000fe55d -L fuzz "$@" btrfs.img
	mkdir -p mnt
	mount -o "loop,$how" btrfs.img mnt
	command btrfs -q subvolume create mnt/@
	cp -r src/boot mnt/
	cp -r src/nix src/tiny src/link src/holes mnt/@/
	for i in 1 2 3 4 5 6; do cat "$here/seeds.sh"; done | head -c 30000 >mnt/packed
	command btrfs -q subvolume snapshot mnt/@ mnt/snap
	command btrfs subvolume set-default mnt/@
	umount mnt
	python3 -I -S "$here/sparse.py" btrfs.img "$corpus/btrfs/$name" 4096 16384 67108864
}
if [ "$(id -u)" = 0 ] && grep -qw btrfs /proc/filesystems; then
	mkdir -p "$corpus/btrfs"
	btrfs plain compress=no
	btrfs zlib compress-force=zlib
	btrfs lzo compress-force=lzo,max_inline=0
	btrfs zstd compress-force=zstd -M
fi

mkdir -p "$corpus/iso9660"
genisoimage -quiet -no-pad -V FUZZ -R -o "$corpus/iso9660/rock" src
rm src/link src/long
genisoimage -quiet -no-pad -V FUZZ -J -o "$corpus/iso9660/joliet" src
genisoimage -quiet -no-pad -V FUZZ -o "$corpus/iso9660/plain" src/boot

# lvm NAME SEGMENTS: a physical volume up to the end of its text
lvm() {
	cat >vg <<-END
		vg {
		id = "AAAAAA-0000-0000-0000-0000-0000-AAAAAA"
		seqno = 2 status = ["READ"] extent_size = 8
		physical_volumes {
		pv0 { id = "000000-0000-0000-0000-0000-0000-000000" device = "/dev/xvda" dev_size = 2048 pe_start = 64 pe_count = 200 }
		pv1 { id = "111111-0000-0000-0000-0000-0000-000000" device = "/dev/xvdb" flags = ["MISSING"] pe_start = 64 pe_count = 9 }
		}
		logical_volumes { $2 }
		}
		contents = "Text Format Volume Group" # text
		version = 1
	END
	rm -f lvm.img && truncate -s 1M lvm.img
	python3 -I -S "$here/../lib/disk/test/lvm.py" label vg pv0 lvm.img area=8192
	head -c $((4096 + 512 + $(wc -c <vg) + 1)) lvm.img >"$corpus/lvm/$1"
}
mkdir -p "$corpus/lvm"
id='id = "llllll-0000-0000-0000-0000-0000-llllll" status = ["READ", "VISIBLE"]'
lvm linear "a-b { $id segment_count = 1 segment1 {
	start_extent = 0 extent_count = 9 type = \"striped\" stripe_count = 1 stripes = [ \"pv0\", 4 ] } }"
lvm stripes "r { $id segment1 { start_extent = 0 extent_count = 3 type = \"striped\" stripe_count = 1 stripes = [\"pv0\", 190] }
	segment2 { start_extent = 3 extent_count = 9 type = \"striped\" stripe_count = 3 stripe_size = 2
		stripes = [\"pv0\", 4, \"pv0\", 100, \"pv0\", 9] } }"
lvm others "r { $id segment1 { start_extent = 0 extent_count = 1 type = \"striped\" stripe_count = 1 stripes = [\"pv1\", 0] } }
	s { $id segment1 { start_extent = 0 extent_count = 3 type = \"snapshot\" origin = \"t\" cow_store = \"r\" merging_store = \"r\" } }
	t { $id segment1 { start_extent = 0 extent_count = 1 type = \"thin\" thin_pool = \"p\" device_id = 1 } }"

# uki NAME SECTION=FILE...
uki() {
	name=$1
	shift
	python3 -I -S "$here/../lib/grub/test/uki.py" "$corpus/uki/$name" pe=64 "$@"
}
mkdir -p "$corpus/uki"
printf '%s\n' 'NAME="A B"' ID=ab VERSION_ID=1 'IMAGE_ID=c' >osrel
printf '"root=x" y\nz' >cmdline
echo 6.1 >uname
uki plain .osrel=osrel .cmdline=cmdline .uname=uname .linux=uname .initrd=cmdline
uki profiles .linux=uname .osrel=osrel .profile=uname .cmdline=cmdline .profile=uname .cmdline=uname

mkdir -p "$corpus/md"
head -c 1M /dev/zero | tr '\0' x >data
for version in 0.90 1.0 1.1 1.2; do
	python3 -I -S "$here/../lib/disk/test/md.py" "$version" data member
	# Only its superblock, and the disk of the target's size.
	python3 -I -S "$here/sparse.py" member member.blocks 4096
	python3 -I -S - member.blocks "$corpus/md/$version" "$(stat -c %s member)" <<-'END'
		import struct, sys
		blocks, out, size = open(sys.argv[1], "rb").read(), open(sys.argv[2], "wb"), int(sys.argv[3])
		for i in range(0, len(blocks), 4100):
		    number, block = struct.unpack("<I", blocks[i : i + 4])[0], bytearray(blocks[i + 4 : i + 4100])
		    if block[:4] != b"\xfc\x4e\x2b\xa9":
		        continue
		    # Those from the end on are there in the larger disk, too.
		    if number > 1:
		        number = ((1 << 22) // 65536 - 1) * 16 if block[4:8] == bytes(4) else ((1 << 22) // 512 - 16) // 8
		        struct.pack_into("<Q", block, 144, number * 8) if block[4:8] != bytes(4) else None
		    out.write(struct.pack("<I", number) + block)
	END
done

# xfs NAME MKFS-OPTION...: the blocks with anything in them, but for the log
xfs() {
	name=$1
	shift
	rm -f xfs.img && truncate -s 512M xfs.img
	mkfs.xfs -q -b size=1024 -d agcount=2 -m uuid=01234567-89ab-cdef-0123-456789abcdef -L fuzz "$@" -p proto xfs.img
	python3 -I -S "$here/sparse.py" xfs.img "$corpus/xfs/$name" 1024
}
mkdir -p "$corpus/xfs"
seq 300 >numbers
{
	printf '%s\n' x '0 0' 'd--755 0 0' 'boot d--755 0 0' 'numbers ---644 0 0 numbers' 'link l--777 0 0 boot' \
		"long l--777 0 0 $(printf '%0700d' 1)"
	for i in $(seq 12); do echo "name-number-$i ---644 0 0 osrel"; done
	printf '%s\n' '$' 'grub d--755 0 0'
	for i in $(seq 60); do echo "a-much-longer-name-with-the-number-$i ---644 0 0 osrel"; done
	printf '%s\n' '$' '$'
} >proto
xfs new
xfs old -m crc=0,finobt=0
xfs untyped -m crc=0,finobt=0 -n ftype=0
