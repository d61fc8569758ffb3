#!/bin/sh
# SPDX-License-Identifier: MIT
# A /boot on logical volumes of LVM2: linear and striped, of one and of two disks. GRUB is asked about the same disks where
# it is installed; with root and LVM2's own programs, these make the volumes, too. usage: volumes.sh DOMGRUB
here=$(realpath "$(dirname "$0")")
lvm=$here/../../../lib/disk/test/lvm.py
md=$here/../../../lib/disk/test/md.py
. "$(dirname "$0")/common.sh"
group=AAAAAA-0000-0000-0000-0000-0000-AAAAAA
volume=llllll-0000-0000-0000-0000-0000-llllll

mkdir -p boot/grub
head -c 3000000 /dev/urandom >boot/vmlinuz
{
	printf '# GRUB Environment Block\n'
	head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >boot/grub/grubenv
# fs DEVICE: boot.fs has a menu for /boot on this device
fs() {
	cat >boot/grub/grub.cfg <<-END
		insmod lvm
		set root='$1'
		load_env
		save_env next_entry
		menuentry T {
		linux /vmlinuz root=/dev/v-g/boot
		}
	END
	ext boot.fs 8M boot -U "$uuid"
}

# text [SEGMENTS]: the file vg describes v-g with boot, which has these segments, and swap on pv1
text() {
	cat >vg <<-END
		v-g { # a comment with { "
		id = "$group"
		seqno = 7
		status = ["READ", "WRITE"]
		extent_size = 2048
		physical_volumes {
		pv0 { id = "000000-0000-0000-0000-0000-0000-000000" device = "/dev/sda2" dev_size = 40960
		flags = [] pe_start = 2048 pe_count = 19 }
		pv1 { id = "111111-1111-1111-1111-1111-1111-111111" device = "/dev/sdb"	dev_size = 40960
		flags = [] pe_start = 2048 pe_count = 19 }
		}
		logical_volumes {
		boot { id = "$volume"
		status = ["READ", "WRITE", "VISIBLE"] segment_count = $(echo "$1" | grep -c segment)
		$1
		}
		swap { id = "ssssss-0000-0000-0000-0000-0000-ssssss"
		status = ["READ", "WRITE", "VISIBLE"] segment_count = 1
		segment1 { start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv1", 18] }
		}
		${2-}
		}
		}
		contents = "Text Format Volume Group"
		version = 1
	END
}
linear='segment1 { start_extent = 0 extent_count = 8 type = "striped" stripe_count = 1 stripes = ["pv0", 3] }'
parts='segment1 { start_extent = 0 extent_count = 3 type = "striped" stripe_count = 1 stripes = ["pv1", 9] }
segment2 { start_extent = 3 extent_count = 4 type = "striped" stripe_count = 2 stripe_size = 128 stripes = ["pv0", 9, "pv1", 2] }
segment3 { start_extent = 7 extent_count = 1 type = "striped" stripe_count = 1 stripes = [ "pv0", 0 ] }'

# volumes [OPTION=NUMBER...]: img and img2 are the physical volumes pv0 and pv1
volumes() {
	rm -f img img2
	truncate -s 20M img img2
	python3 -I -S "$lvm" label vg pv0 img "$@"
	python3 -I -S "$lvm" label vg pv1 img2 "$@"
	python3 -I -S "$lvm" put vg boot boot.fs pv0=img pv1=img2
}

# boots NAME [OPTION...]: from img
boots() {
	name=$1
	shift
	clean
	run -q --output-format=simple --output-directory=out "$@" img >got 2>got.err || { fail "$name" "$(cat got.err)"; return; }
	grep -qxF "args root=/dev/v-g/boot" got && cmp -s out/boot_kernel.* boot/vmlinuz && ok "$name" || fail "$name" "$(cat got)"
}

# notes NAME WORDS: the last boot said this
notes() { grep -qF -- "$2" got.err && ok "$1" || fail "$1" "$(cat got.err)"; }

# says NAME WORDS [OPTION...]
says() {
	name=$1 words=$2 rc=0
	shift 2
	run -q --output-directory=out "$@" img >got 2>got.err || rc=$?
	[ $rc -eq 1 ] && grep -qF -- "$words" got.err && ok "$name" || fail "$name" "status $rc: $(cat got.err)"
}

# grub NAME DEVICE IMAGE...: GRUB reads the kernel there, too
grub() {
	command -v grub-fstest >/dev/null || return 0
	name=$1 device=$2
	shift 2
	grub-fstest -c $# "$@" cat "($device)/vmlinuz" 2>/dev/null | cmp -s - boot/vmlinuz && ok "$name" || fail "$name" differs
}

for device in lvm/v--g-boot "lvmid/$group/$volume"; do
	fs "$device"
	text "$linear"
	volumes
	boots "$device" --disk=img2
	grub "GRUB, $device" "$device" img img2
	boots "$device, only the disk that it is on"
done
cp img before
boots "an environment block" --disk=img2 --write-env
notes "an environment block is left" "on LVM2"
cmp -s img before && ok "nothing is written" || fail "nothing is written" "differs"
text "$parts"
volumes
boots "three segments, one in stripes" --disk=img2
grub "GRUB, three segments" lvm/v--g-boot img img2
says "a disk is missing" "physical volume 111111-1111-1111-1111-1111-1111-111111 (was /dev/sdb) is missing"
volumes place=1043000
boots "the text goes on at the start of its ring" --disk=img2
grub "GRUB, a text in two parts" lvm/v--g-boot img img2
volumes areas=2
boots "two areas with metadata, of which the newer counts" --disk=img2
volumes areas=2 sum=1
boots "two areas with metadata, of which one is damaged" --disk=img2
notes "the damaged one is named" "img: LVM2: wrong checksum of the metadata"
volumes
python3 -I -S "$lvm" label vg pv1 img2 areas=0
python3 -I -S "$lvm" put vg boot boot.fs pv0=img pv1=img2
boots "metadata on one disk only" --disk=img2
sed 's/seqno = 7/seqno = 8/; s/"pv0", 9/"pv0", 5/' vg >vg8
python3 -I -S "$lvm" label vg8 pv0 img
python3 -I -S "$lvm" put vg8 boot boot.fs pv0=img pv1=img2
head -c 4194304 /dev/zero | dd of=img bs=1M seek=10 conv=notrunc status=none
boots "an old text on the other disk" --disk=img2
sed -i '/device = "\/dev\/sdb"/{n;s/flags = \[\]/flags = ["MISSING"]/}' vg8
python3 -I -S "$lvm" label vg8 pv0 img
says "a disk that was missing" "physical volume 111111-1111-1111-1111-1111-1111-111111 (was /dev/sdb) is missing" --disk=img2

text "$linear"
volumes
cp img pv
rm -f img
truncate -s 24M img
printf '%s\n' 'label: gpt' "start=2048,size=2048" "start=4096,size=40960,type=lvm" | sfdisk -q img
into img 4096 pv
boots "in a partition"
sed -i 's/dev_size = 40960/dev_size = 36864/; s/pe_count = 19/pe_count = 17/' vg
rm -f pv
truncate -s 18M pv
python3 -I -S "$lvm" label vg pv0 pv
python3 -I -S "$lvm" put vg boot boot.fs pv0=pv pv1=img2
python3 -I -S "$md" 1.2 pv img
boots "on one half of a RAID1"
cp img other
boots "on both halves" --disk=other

# Other kinds, and the volume beside them.
for type in raid1 mirror thin cache vdo error snapshot; do
	text "$linear" "other { id = \"oooooo-0000-0000-0000-0000-0000-oooooo\" status = [\"VISIBLE\"] segment_count = 1
		segment1 { start_extent = 0 extent_count = 1 type = \"$type\" thin_pool = \"pool\" transaction_id = 1 } }
		pool { id = \"pppppp-0000-0000-0000-0000-0000-oooooo\" status = [] segment1 { type = \"thin-pool\" } }"
	volumes
	boots "beside a volume of type $type" --disk=img2
	says "type $type is named" "(lvm/v--g-other): type $type is not supported" --kernel="(lvm/v--g-other)/vmlinuz"
done
text "$linear" 'snap { id = "oooooo-0000-0000-0000-0000-0000-oooooo" status = ["READ"] segment_count = 1
	segment1 { start_extent = 0 extent_count = 1 type = "snapshot" chunk_size = 8 origin = "boot" merging_store = "swap" } }'
volumes
says "a snapshot that is being merged" "(lvm/v--g-boot): a snapshot is being merged into it"

# What does not fit.
# bad NAME FROM TO WORDS: in the text of one linear volume
bad() {
	text "$linear"
	sed -i "s/$2/$3/" vg
	rm -f img
	truncate -s 20M img
	python3 -I -S "$lvm" label vg pv0 img
	says "$1" "$4"
}
bad "an extent beyond the last" '"pv0", 3' '"pv0", 12' '8 extents at 12 of "pv0", which has 19'
bad "a gap" 'start_extent = 0 extent_count = 8' 'start_extent = 1 extent_count = 8' 'starts at extent 1 instead of 0'
bad "no extents" 'extent_count = 8' 'extent_count = 0' 'of 0 extents'
bad "two stripes, one named" 'stripe_count = 1' 'stripe_count = 2 stripe_size = 8' '1 stripes instead of 2'
bad "stripes of no power of two" 'stripe_count = 1' 'stripe_count = 2 stripe_size = 24' 'invalid stripe_size'
bad "129 stripes" 'stripe_count = 1' 'stripe_count = 129 stripe_size = 8' 'invalid stripe_count'
bad "a part on another volume" '"pv0", 3' '"swap", 3' 'parts on "swap", not a physical volume'
bad "a disk that is too small" 'pe_start = 2048 pe_count = 19' 'pe_start = 20480 pe_count = 19' 'too few for extent 10'
bad "a volume without a valid UUID" "$volume" "llllll" 'the UUID of "boot" is missing or invalid'
bad "a name with a slash" '^boot {' 'b\/t {' 'the name of "b/t" is missing or invalid'
bad "a character that does not belong there" 'type =' '( type =' 'LVM2 metadata: unexpected text'
bad "extents of no size" 'extent_size = 2048' 'extent_size = 0' 'extent_size of "v-g" is missing or invalid'
bad "another version" 'version = 1' 'version = 2' 'LVM2 metadata: not of version 1'
text "$linear"
for case in "label=1:wrong checksum of the label" "head=1:wrong checksum of a metadata area's header" \
	"magic=1:wrong checksum of a metadata area's header" "version=2:metadata area of version 2" \
	"sum=1:wrong checksum of the metadata" "area=100:metadata area of 100 bytes" \
	"area=0x100000000:does not fit into 20971520" "none=1:in no known group" "flags=1:in no known group" \
	"area=1024:does not fit into its area of 1024"; do
	volumes "${case%%:*}" 2>/dev/null || true
	says "${case%%:*}" "${case#*:}"
done

# Volumes that LVM2's own programs make.
fs lvm/v--g-boot
real() {
	[ "$(id -u)" -eq 0 ] && command -v lvm >/dev/null && [ -e /dev/loop-control ] || return 0
	rm -f img img2
	truncate -s 40M img img2
	a=$(losetup -f --show img) && b=$(losetup -f --show img2) || return 0
	# The kernels of build machines often lack device mapper.
	lvm_() {
		timeout 60 lvm "$@" --driverloaded n --config "devices{filter=[\"a|$a|\",\"a|$b|\",\"r|.*|\"] use_devicesfile=0}
			backup{backup=0 archive=0}" >>lvm.log 2>&1 || { rc=1; fail "lvm $1" "$(tail -n 3 lvm.log)"; }
	}
	rc=0
	lvm_ pvcreate -y --metadatasize 60k --dataalignment 64k "$a" "$b"
	lvm_ vgcreate -y v-g "$a" "$b"
	for i in 1 2 3; do lvm_ lvcreate -y -an -Zn -Wn -l 1 -n "x$i" v-g "$a"; done
	lvm_ lvremove -y v-g/x2
	lvm_ lvcreate -y -an -Zn -Wn -l "$1" -n boot $2 v-g
	lvm_ lvextend -l +2 -i 1 v-g/boot
	i=0
	while [ $i -lt 15 ]; do
		# The ring of texts goes around.
		i=$((i + 1))
		lvm_ lvchange --addtag "t$i" v-g/boot
		lvm_ lvchange --deltag "t$i" v-g/boot
	done
	lvm_ vgcfgbackup -f vg v-g
	losetup -d "$a"
	losetup -d "$b"
	[ $rc -eq 0 ] || return 0
	python3 -I -S "$lvm" put vg boot boot.fs pv0=img pv1=img2
	boots "made by LVM2 with $2" --disk=img2
	grub "GRUB, made by LVM2 with $2" lvm/v--g-boot img img2
}
real 6 ""
real 6 "-i2 -I64k"
finish
