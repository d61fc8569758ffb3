#!/bin/sh
# SPDX-License-Identifier: MIT
# domgrub's outputs have holes where the guest's files have holes, unwritten
# blocks or blocks of zeros. Limits are for sizes including holes, the free space
# needed is not. usage: sparse.sh DOMGRUB
. "$(dirname "$0")/common.sh"

printf 'known-kernels = no\ncheck-kernel = no\n' >none.conf
truncate -s 1M probe
[ "$(stat -c %b probe)" -eq 0 ] || exit 77 # the file system has no holes

# at FILE BYTE COUNT: write COUNT random bytes at offset BYTE
at() { head -c "$3" /dev/urandom | dd of="$1" bs=64K seek="$2" oflag=seek_bytes conv=notrunc status=none; }

# menu FILE...: the kernel, and ramdisks
menu() {
	mkdir -p root/boot/grub
	kernel=$1
	shift
	printf 'menuentry One {\nlinux /%s\ninitrd%s\n}\n' "$kernel" "$(printf ' /%s' "$@")" >root/boot/grub/grub.cfg
}

# kib NAME FILE MOST: FILE occupies at most MOST KiB
kib() {
	n=$(($(stat -c %b "$2") / 2))
	if [ "$n" -le "$3" ]; then ok "$1"; else fail "$1" "$n KiB, over $3"; fi
}

# A kernel: data, a hole, data, blocks of zeros, an odd size, a hole of 1 MiB at the end.
mkdir root
at root/k 0 10000
at root/k 3000000 100000
head -c 409600 /dev/zero | tr '\0' Z | dd of=root/k bs=64K seek=3104768 oflag=seek_bytes conv=notrunc status=none
at root/k 3514368 4999
truncate -s 5000001 root/k
# Ramdisks: one of odd size, so that the next one's blocks are not aligned in the output; only a hole; unwritten blocks.
at root/a 0 5001
truncate -s 8M root/b
at root/b 4194304 20000
truncate -s 3M root/c
truncate -s 2M root/d
at root/d 0 4096
menu k a b c d
for bs in 1024 4096; do
	ext img 24M root -b $bs
	debugfs -w -R "fallocate /d 4 100" img >/dev/null 2>&1
	python3 - <<'END'
data = open("img", "rb").read()
assert data.count(b"Z" * 4096) >= 99
open("img", "r+b").write(data.replace(b"Z" * 1024, bytes(1024)))
END
	e2fsck -fn img >fsck 2>&1 || fail "$bs: the image" "$(cat fsck)"
	# As read by debugfs, each ramdisk at a multiple of four as in GRUB.
	for f in k a b c d; do debugfs -R "dump /$f $f" img 2>/dev/null; done
	truncate -s %4 a
	cat a b c d >ramdisk
	clean
	run -q --output-directory=out img >got 2>got.err || fail "$bs: answer" "$(cat got.err)"
	same "$bs: kernel" k out/boot_kernel.*
	same "$bs: ramdisk" ramdisk out/boot_ramdisk.*
	kib "$bs: a sparse kernel" out/boot_kernel.* 144
	kib "$bs: a sparse ramdisk" out/boot_ramdisk.* 52
done

# Both fit into 1 MiB, although their sizes are far larger.
# shellcheck disable=SC2016 # for the other shell
within() { # SIZE CONFIG
	rc=0
	unshare -m sh -c 'mount -t tmpfs -o size=$1 none out && shift && "$@"; rc=$?; stat -c "%n %s" out/boot_*; exit $rc' sh \
		"$1" timeout 60 "$domgrub" -q --config="$2" --output-directory=out img >got 2>got.err </dev/null || rc=$?
}
clean
within 1M none.conf
if grep -q "unshare: \|mount: " got.err; then
	echo "skip room: no mounts here"
else
	if [ $rc = 0 ] && grep -q "out/boot_ramdisk.* $(stat -c %s ramdisk)" got; then
		ok "room without holes"
	else
		fail "room without holes" "status $rc: $(cat got got.err)"
	fi
	within 512K none.conf
	[ $rc = 1 ] && grep -q "need [56][0-9]\{5\} bytes, but its file system has 524288 free, of which domgrub leaves 32768" got.err &&
		ok "no room" || fail "no room" "status $rc: $(cat got got.err)"
fi

# The limits are for sizes, not for the space used.
printf 'max-kernel = 4M\n' >conf
rc=0
run -q --config=conf --output-directory=out img >got 2>got.err || rc=$?
[ $rc = 1 ] && grep -q "kernel: 5000001 bytes, larger than the limit of 4194304" got.err && ok "a limit" || fail "a limit" "$rc: $(cat got got.err)"

# The default limits: 128 MiB and 512 MiB.
defaults() { # NAME KERNEL RAMDISK WORDS
	rm -f root/?
	truncate -s "$2" root/k
	truncate -s "$3" root/a
	menu k a
	ext img 8M root
	clean
	rc=0
	run -q --output-directory=out img >got 2>got.err || rc=$?
	if [ -n "$4" ]; then
		[ $rc = 1 ] && [ -z "$(ls out)" ] && grep -qF -- "$4" got.err && ok "$1" || fail "$1" "$rc: $(cat got got.err)"
		return
	fi
	[ $rc = 0 ] && [ "$(stat -c %s out/boot_kernel.*) $(stat -c %s out/boot_ramdisk.*)" = "$2 $3" ] &&
		ok "$1" || fail "$1" "$rc: $(cat got got.err)"
	kib "$1: kernel" out/boot_kernel.* 4
	kib "$1: ramdisk" out/boot_ramdisk.* 4
}
defaults "the largest" 134217728 536870912 ""
defaults "a large kernel" 134217729 1 "kernel: 134217729 bytes, larger than the limit of 134217728"
defaults "a large ramdisk" 1 536870913 "ramdisk: larger than the limit of 536870912 bytes"
clean
finish
