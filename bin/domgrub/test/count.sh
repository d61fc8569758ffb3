#!/bin/sh
# SPDX-License-Identifier: MIT
# Boot counting of Boot Loader Specification entries: each start renames the entry's file, and only that, on ext2, ext3 and
# ext4; elsewhere it is said. e2fsck checks each result. usage: count.sh DOMGRUB
make=$(realpath "$(dirname "$0")")/../../../lib/grub/test/uki.py
. "$(dirname "$0")/common.sh"

echo "check-kernel = no" >>none.conf
entries=root/loader/entries
mkdir -p $entries
head -c 300001 /dev/urandom >root/vmlinuz
head -c 200003 /dev/urandom >root/initrd

# entry NAME ARGS
entry() { printf '%s\n' 'linux /vmlinuz' 'initrd /initrd' "options $2" >"$entries/$1.conf"; }

# disk DIRECTORY [mke2fs options]: img
disk() {
	dir=$1
	shift
	rm -f img
	truncate -s 40M img
	mke2fs -q -F -d "$dir" "${@:--text4}" img
}

# names: the files of a directory in img, in one line
names() { debugfs -R "ls -p ${1:-/loader/entries}" "${2:-img}" 2>/dev/null | cut -d/ -f6 | grep -v '^\.*$' | sort | tr '\n' ' ' | sed 's/ $//'; }

# start NAME ARGS [OPTION...]: an answer with these arguments
start() {
	name=$1 args=$2
	shift 2
	clean
	run -q --write-env --output-format=simple --output-directory=out "$@" img >got 2>got.err || { fail "$name" "$(cat got.err)"; return 1; }
	[ "$(sed -n 's/^args //p' got)" = "$args" ] || { fail "$name" "$(cat got)"; return 1; }
	cmp -s out/boot_kernel.* "${kernel:-root/vmlinuz}" || { fail "$name" "another kernel"; return 1; }
	cmp -s out/boot_ramdisk.* root/initrd || { fail "$name" "another ramdisk"; return 1; }
}

# counted NAME WANTED [DIRECTORY [IMAGE]]: the names after a start, and e2fsck
counted() {
	[ "$(names "${3:-}" "${4:-}")" = "$2" ] || { fail "$1" "names: $(names "${3:-}" "${4:-}")"; return 1; }
	e2fsck -fn "${4:-img}" >fsck.log 2>&1 || { fail "$1" "$(cat fsck.log)"; return 1; }
	[ ! -s got.err ] || { fail "$1" "$(cat got.err)"; return 1; }
}

# same_disk NAME WORDS: nothing was written, and the last start said this
same_disk() {
	cmp -s img before || { fail "$1" "the disk was written"; return; }
	grep -qF -- "$2" got.err && [ "$(wc -l <got.err)" = "${3:-1}" ] && ok "$1" || fail "$1" "$(cat got.err)"
}

entry m-2+3 new
entry m-1 old
# Each kind of file system: three tries, then the next entry.
while read -r kind; do
	# shellcheck disable=SC2086
	disk root $kind
	{
		start "$kind: 3" new && counted "$kind: 3" "m-1.conf m-2+2-1.conf" &&
			start "$kind: 2" new && counted "$kind: 2" "m-1.conf m-2+1-2.conf" &&
			start "$kind: 1" new && counted "$kind: 1" "m-1.conf m-2+0-3.conf"
	} || continue
	cp img before
	start "$kind: 0" old && counted "$kind: 0" "m-1.conf m-2+0-3.conf" || continue
	cmp -s img before || { fail "$kind" "written for an entry without a counter"; continue; }
	debugfs -R "cat /loader/entries/m-2+0-3.conf" img 2>/dev/null | cmp -s - $entries/m-2+3.conf && ok "$kind" ||
		fail "$kind" "another entry"
done <<-END
	-t ext4 -O metadata_csum,dir_index
	-t ext4 -O ^metadata_csum
	-t ext4 -O ^metadata_csum,^uninit_bg,^dir_index
	-t ext4 -O metadata_csum_seed -b 1024
	-t ext3
	-t ext2
	-t ext4 -O ^has_journal,^metadata_csum
END

# A bad entry that a person chooses counts on.
start "a bad entry" new --entry=m-2 && counted "a bad entry" "m-1.conf m-2+0-4.conf" && ok "a bad entry"
# What the guest does when it has started.
disk root
start "blessed" new
debugfs -w -R "ln /loader/entries/m-2+2-1.conf /loader/entries/m-2.conf" img 2>/dev/null
debugfs -w -R "unlink /loader/entries/m-2+2-1.conf" img 2>/dev/null
start "blessed" new && counted "blessed" "m-1.conf m-2.conf" && ok "blessed"

# Directories of many blocks, hashed and not.
for i in $(seq 300); do entry "a-directory-of-several-blocks-$i" x; done
entry z-2+3 new
for kind in "-t ext4" "-t ext4 -O ^dir_index" "-t ext4 -b 1024"; do
	# shellcheck disable=SC2086
	disk root $kind
	names | sed 's/z-2+3/z-2+2-1/' >want
	start "many entries $kind" new && counted "many entries $kind" "$(cat want)" && ok "many entries $kind"
done
rm $entries/a-* $entries/z-*

# Not without --write-env, and not where nothing boots.
disk root
cp img before
clean
run -q --output-directory=out img >got 2>got.err || fail "without --write-env" "$(cat got.err)"
same_disk "without --write-env" "/loader/entries/m-2+3.conf: its boot counter is not changed without --write-env"
run -qn --write-env img >got 2>got.err
echo . >>got.err
same_disk "--not-really" .
run -l --write-env img >got 2>got.err
echo . >>got.err
same_disk "--list-entries" .
run -q --write-env --kernel=/vmlinuz --output-directory=out img >got 2>got.err
echo . >>got.err
same_disk "--kernel" .

# A start is used up even if it fails, as by systemd-boot.
for why in "--output-directory=out" "--output-directory=out --config=small.conf"; do
	printf 'max-kernel = 1000\ncheck-kernel = no\n' >small.conf
	disk root
	[ "$why" = --output-directory=out ] && debugfs -w -R "rm /initrd" img >/dev/null 2>&1
	rc=0
	# shellcheck disable=SC2086
	timeout 60 "$domgrub" --config=none.conf -q --write-env $why img >got 2>got.err || rc=$?
	[ $rc -eq 1 ] || fail "a start that fails" "status $rc"
	: >got.err
	counted "a start that fails" "m-1.conf m-2+2-1.conf" && ok "a start that fails $why"
done

# In a partition.
ext part 20M root
truncate -s 60M img
printf '%s\n' 'label: gpt' 'start=2048,size=2048' 'start=4096,size=40960' 'start=45056,size=40960' | sfdisk -q img
into img 4096 part
into img 45056 part
start "in a partition" new
dd if=img of=part bs=512 skip=4096 count=40960 status=none
counted "in a partition" "m-1.conf m-2+2-1.conf" "" part && ok "in a partition"
dd if=img of=part2 bs=512 skip=45056 count=40960 status=none
[ "$(names "" part2)" = "m-1.conf m-2+3.conf" ] && ok "not in the other one" || fail "the other partition" "$(names "" part2)"

# Below /boot of the root.
mkdir -p root2/boot
cp -r root/* root2/boot
disk root2
start "below /boot" new && counted "below /boot" "m-1.conf m-2+2-1.conf" /boot/loader/entries && ok "below /boot"

# Unified kernel images have their counter in their own name.
mkdir -p images/EFI/Linux
printf 'PRETTY_NAME=Two\nID=x\nVERSION_ID=2\n' >osrel
printf 'uki' >cmdline
python3 -I -S "$make" images/EFI/Linux/x+2.efi .osrel=osrel .cmdline=cmdline .linux=root/vmlinuz .initrd=root/initrd
disk images
start "an image: 2" uki && counted "an image: 2" "x+1-1.efi" /EFI/Linux &&
	start "an image: 1" uki && counted "an image: 1" "x+0-2.efi" /EFI/Linux && ok "an image"

# What cannot be changed is said, and the guest boots.
refused() {
	cp img before
	start "$1" "${3:-new}" && same_disk "$1" "/loader/entries/m-2+3.conf: its boot counter is not changed: $2" "${4:-1}"
}

rm -f img
truncate -s 40M img
mkfs.fat -F 32 -s 1 img >/dev/null
mcopy -i img -s root/* ::
refused "on FAT" "it is on vfat; domgrub renames files only on ext2, ext3 and ext4"
if command -v mkfs.btrfs >/dev/null; then
	rm -f img
	truncate -s 200M img
	mkfs.btrfs -q --rootdir root img >/dev/null 2>&1
	refused "on btrfs" "it is on btrfs; domgrub renames files only on ext2, ext3 and ext4"
fi
disk root
tune2fs -O read-only img >/dev/null
refused "read-only" "img: its ext4 has the feature read-only"
disk root
debugfs -w -R "feature needs_recovery" img >/dev/null 2>&1
refused "a journal to replay" "img: its file system was not cleanly unmounted"
disk root -t ext2
debugfs -w -R "ssv state 0" img >/dev/null 2>&1
refused "not unmounted" "img: its file system was not cleanly unmounted"
disk root
debugfs -w -R "ssv state 3" img >/dev/null 2>&1
refused "with errors" "img: its file system is marked as having errors"
disk root
debugfs -w -R "ln /vmlinuz /loader/entries/m-2+2-1.conf" img >/dev/null 2>&1
debugfs -w -R "ssv state 1" img >/dev/null 2>&1
refused "a name that is there" "img: 'm-2+2-1.conf' already exists" new 2
long=m-$(printf '%0243d' 0 | tr 0 9)
mv $entries/m-2+3.conf "$entries/$long+9-99.conf"
disk root
cp img before
start "a name that gets too long" new && same_disk "a name that gets too long" "img: '$long+8-100.conf' cannot be a name"
mv "$entries/$long+9-99.conf" $entries/m-2+3.conf

# Another program reads the disk for longer than domgrub waits.
disk root
cp img before
flock -s img sleep 30 &
reader=$!
start "a disk that is being read" new && same_disk "a disk that is being read" "img: another program has locked it"
kill "$reader"
flock -x img true
start "and again" new && counted "and again" "m-1.conf m-2+2-1.conf" && ok "and again"
finish
