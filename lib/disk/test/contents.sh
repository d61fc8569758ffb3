#!/bin/sh
# SPDX-License-Identifier: MIT
# Contents made by the usual tools are named correctly. A tool that is not
# installed is skipped. usage: contents.sh TEST_CONTENTS
set -u
test=$(realpath "$1")
PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
tried=0 failed=0

# named WANT SIZE TOOL [ARG...]: run the tool with the file's name as last argument
named() {
	want=$1 size=$2
	shift 2
	command -v "$1" >/dev/null || { echo "no $1: passed over"; return; }
	rm -f img
	truncate -s "$size" img
	if ! "$@" img >log 2>&1 </dev/null; then
		echo "$1 does not make it: passed over: $(tail -1 log)"
		return
	fi
	tried=$((tried + 1))
	got=$("$test" img)
	if [ "$got" = "$want" ]; then
		echo "ok $want"
	else
		failed=$((failed + 1))
		echo "FAIL $want: $got"
	fi
}

mkdir -p tree && echo x >tree/file
head -c 64 /dev/zero >key
named swap 1M mkswap
named F2FS 64M mkfs.f2fs -q
named NTFS 8M mkfs.ntfs -qF
named exFAT 8M mkfs.exfat
named JFS 16M mkfs.jfs -q
named ReiserFS 64M mkfs.reiserfs -qff
named NILFS2 160M mkfs.nilfs2 -q
named Minix 1M mkfs.minix
named UDF 8M mkfs.udf
named LUKS1 4M cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 --key-file key
named LUKS2 20M cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file key
named "a qcow2 image" 0 qemu-img create -q -f qcow2 -o size=1M
named "a QED image" 0 qemu-img create -q -f qed -o size=1M
named "a VDI image" 0 qemu-img create -q -f vdi -o size=1M
named "a VMDK image" 0 qemu-img create -q -f vmdk -o size=1M
named "a VHDX image" 0 qemu-img create -q -f vhdx -o size=1M
named "a dynamic VHD image" 0 qemu-img create -q -f vpc -o size=1M
named "a VHD image" 0 qemu-img create -q -f vpc -o size=1M,subformat=fixed
named "a Parallels image" 0 qemu-img create -q -f parallels -o size=1M
named squashfs 0 sh -c 'rm "$1" && mksquashfs tree "$1" -quiet' sh
named EROFS 0 sh -c 'mkfs.erofs "$1" tree' sh
named cramfs 0 sh -c 'mkfs.cramfs tree "$1"' sh
named "gzip data" 0 sh -c 'gzip -c key >"$1"' sh
named "xz data" 0 sh -c 'xz -c key >"$1"' sh
named "zstd data" 0 sh -c 'zstd -qc key >"$1"' sh
named nothing 1M true
named nothing 1M mke2fs -qF
[ "$tried" -gt 2 ] || { echo "hardly any tool is here"; exit 77; }
[ "$failed" -eq 0 ]
