#!/bin/sh
# SPDX-License-Identifier: MIT
# File systems made by mke2fs, mkfs.fat and mtools, read by our drivers and
# compared with the original directory.
# usage: images.sh FS_TREE
set -eu

for tool in mke2fs debugfs mkfs.fat mcopy; do
	command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
tree=$(realpath "$1")
. "$(dirname "$0")/../../../test/flip.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
: >failed
uuid=01234567-89ab-cdef-0123-456789abcdef
export MTOOLS_SKIP_CHECK=1 TZ=UTC

# crc FILE: the CRC of gzip, which fs_tree also prints
crc() { gzip -1 -c <"$1" | tail -c 8 | od -An -tx4 -N4 | tr -d ' \n'; }

# What fs_tree should print for a directory; $2 l: with symbolic links
expect() {
	(cd "$1" && find . -printf '%P\n' | LC_ALL=C sort) | while IFS= read -r p; do
		f=$1/$p
		if [ -z "$p" ]; then
			echo "d /"
		elif [ -L "$f" ]; then
			echo "l /$p -> $(readlink "$f")"
		elif [ -d "$f" ]; then
			echo "d /$p"
		else
			echo "f /$p $(stat -c %s "$f") $(crc "$f")"
		fi
	done
}

source_make() {
	mkdir -p src/boot/grub src/nix/store src/many src/deep/a/b/c/d
	printf 'x' >src/tiny
	: >src/empty
	head -c 59 /dev/zero | tr '\0' t >src/fits-the-inode
	head -c 150 /dev/zero | tr '\0' u >src/fits-with-attribute
	head -c 5000001 /dev/urandom >src/nix/store/kernel
	head -c 700001 /dev/urandom >src/boot/initrd
	echo 'menuentry "NixOS" { linux /kernel }' >src/boot/grub/grub.cfg
	truncate -s 3000000 src/holes
	printf 'middle' | dd of=src/holes bs=1 seek=1500000 conv=notrunc 2>/dev/null
	printf 'end' | dd of=src/holes bs=1 seek=2999997 conv=notrunc 2>/dev/null
	i=0
	while [ $i -lt 400 ]; do
		: >"src/many/a-name-that-fills-the-directory-quickly-$i"
		i=$((i + 1))
	done
	ln -s tiny src/short-link
	ln -s "$(printf '%0100d' 7)" src/long-link
	ln -s "$(head -c 900 /dev/zero | tr '\0' l)" src/longer-link
	echo deep >src/deep/a/b/c/d/file
}

case_ext() { # name, type as blkid says it, mke2fs options
	name=$1
	type=$2
	shift 2
	truncate -s 96M img
	mke2fs -q -F -L "label $name" -U $uuid -d src "$@" img 2>mke2fs.err || {
		echo "FAIL $name: mke2fs: $(cat mke2fs.err)"
		echo x >>failed
		rm -f img
		return
	}
	compare "$name" "$type label $name $uuid"
}

compare() {
	{ echo "$2"; cat expected; } >want
	"$tree" img 2>&1 | sed '/^d \/lost+found$/d' >got || true
	LC_ALL=C sort want >want.s
	LC_ALL=C sort got >got.s
	if cmp -s want.s got.s; then
		echo "ok $1"
	else
		echo "FAIL $1"
		diff want.s got.s | cut -c 1-200 | head -5
		echo x >>failed
	fi
}

refuse() {
	out=$("$tree" img ${3-} 2>&1) && out="accepted: $out"
	case $out in
	*"$2"*) echo "ok $1" ;;
	*)
		echo "FAIL $1: $(echo "$out" | head -1)"
		echo x >>failed
		;;
	esac
}

ext_cases() {
	case_ext ext2 ext2 -t ext2 -b 1024
	case_ext ext3 ext3 -t ext3 -b 1024
	case_ext ext4 ext4 -t ext4
	case_ext ext2-4k ext2 -t ext2 -b 4096 -I 128
	case_ext ext4-1k ext4 -t ext4 -b 1024
	case_ext ext4-2k ext4 -t ext4 -b 2048
	case_ext ext4-64k ext4 -t ext4 -b 65536
	case_ext lists ext4 -t ext4 -O ^extent,^64bit -b 1024
	case_ext plain ext2 -t ext2 -O none -b 1024
	case_ext nofiletype ext2 -t ext2 -O ^filetype -b 1024
	case_ext bigalloc ext4 -t ext4 -O bigalloc -C 16384
	case_ext inline ext4 -t ext4 -O inline_data -I 256
	case_ext inline-1k ext4 -t ext4 -O inline_data -I 1024
	case_ext casefold ext4 -t ext4 -O casefold
	case_ext encrypt ext4 -t ext4 -O encrypt
	case_ext metabg ext4 -t ext4 -O meta_bg,^resize_inode -b 1024
	case_ext csumseed ext4 -t ext4 -O metadata_csum_seed,metadata_csum
	case_ext gdtcsum ext4 -t ext4 -O uninit_bg,^metadata_csum
	case_ext largedir ext4 -t ext4 -O large_dir,ea_inode
	case_ext orphan ext4 -t ext4 -O orphan_file
	case_ext quota ext4 -t ext4 -O quota,project
	case_ext verity ext4 -t ext4 -O verity,stable_inodes
	case_ext sparse2 ext4 -t ext4 -O sparse_super2,^resize_inode
	case_ext mmp ext4 -t ext4 -O mmp
	case_ext nojournal ext4 -t ext4 -O ^has_journal,fast_commit
}

# 70 MB in blocks of 1 KiB: triple indirect blocks.
triple_case() {
	mkdir big
	head -c 70000000 /dev/urandom >big/file
	cp src/tiny big/
	expect big >expected
	truncate -s 96M img
	mke2fs -q -F -t ext2 -b 1024 -L triple -U $uuid -d big img
	compare "triple" "ext2 triple $uuid"
	rm -r big
}

ext_odd() {
	rm -f img
	truncate -s 32M img
	mke2fs -q -F -t ext4 -L dirty -U $uuid img
	debugfs -w -R 'feature needs_recovery' img >/dev/null 2>&1
	[ "$("$tree" img | head -1)" = "ext4 dirty $uuid unclean" ] && echo "ok unclean" || {
		echo "FAIL unclean"
		echo x >>failed
	}
	debugfs -w -R 'feature -needs_recovery' img >/dev/null 2>&1
	cp img good
	debugfs -w -R "write $tree secret" img >/dev/null 2>&1
	debugfs -w -R "sif secret flags 0x80800" img >/dev/null 2>&1
	refuse "encrypted file" "is encrypted" /secret
	cp good img
	truncate -s 20M img
	refuse "cut off" "do not fit into 20971520 bytes"
	mke2fs -q -F -t ext2 img
	printf '\377\377\377\377' | dd of=img bs=1 seek=1120 conv=notrunc 2>/dev/null
	refuse "features unknown" "unsupported"
	cp good img
	flip img 1250
	refuse "superblock checksum" "checksum"
}

fat_make() { # $1 bits, $2 size, rest: options
	bits=$1
	rm -f img
	truncate -s "$2" img
	shift 2
	mkfs.fat -F "$bits" -n "BOOT VOL" -i 1234abcd "$@" img >/dev/null
	mcopy -i img -s fatsrc/* ::
	# A deleted file, so that the next one is fragmented.
	mdel -i img '::/Some long name.txt'
	mcopy -i img 'fatsrc/Some long name.txt' ::
}

fat_cases() {
	mkdir -p fatsrc/loader/entries fatsrc/EFI/nixos
	head -c 20000 /dev/urandom >'fatsrc/Some long name.txt'
	head -c 300000 /dev/urandom >fatsrc/EFI/nixos/kernel-6.12.efi
	head -c 250000 /dev/urandom >fatsrc/zweiter
	printf 'title NixOS\n' >fatsrc/loader/entries/nixos-generation-1.conf
	printf 'x' >fatsrc/UPPER.TXT
	printf 'y' >fatsrc/lower.txt
	: >fatsrc/empty.fil
	printf 'z' >"fatsrc/$(head -c 200 /dev/zero | tr '\0' n).long"
	i=0
	while [ $i -lt 100 ]; do
		echo $i >"fatsrc/EFI/nixos/entry number $i"
		i=$((i + 1))
	done
	expect fatsrc >expected
	fat_make 12 1440K
	compare fat12 "vfat BOOT VOL 1234-ABCD"
	fat_make 16 20M
	compare fat16 "vfat BOOT VOL 1234-ABCD"
	fat_make 32 40M -s 1
	compare fat32 "vfat BOOT VOL 1234-ABCD"
	fat_make 32 260M -S 4096 -s 1
	compare fat32-4k "vfat BOOT VOL 1234-ABCD"
	out=$("$tree" img /efi/NIXOS/KERNEL-6.12.EFI | sed -n 's/ [0-9a-f]*$//;2p')
	[ "$out" = "f /efi/NIXOS/KERNEL-6.12.EFI 300000" ] && echo "ok fat case" || {
		echo "FAIL fat case: $out"
		echo x >>failed
	}
	truncate -s 10M img
	refuse "fat cut off" "FAT: "
	head -c 1M /dev/zero >img
	refuse "zeros" unknown
}

source_make
expect src >expected
ext_cases
triple_case
ext_odd
fat_cases
if [ -s failed ]; then
	echo "some failed"
	exit 1
fi
