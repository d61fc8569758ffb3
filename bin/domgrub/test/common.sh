# SPDX-License-Identifier: MIT
# What domgrub's tests share: a work directory, guests' disks, results.
# shellcheck shell=sh
set -eu

domgrub=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export MTOOLS_SKIP_CHECK=1 TZ=UTC LC_ALL=C
unset PYGRUB_MAX_FILE_SIZE_MB PYGRUB_MAX_RAM_USAGE_MB
: >failed
echo "known-kernels = no" >none.conf
mkdir out
uuid=01234567-89ab-cdef-0123-456789abcdef
uuid2=fedcba98-7654-3210-fedc-ba9876543210

ok() { echo "ok $1"; }

fail() {
	echo "FAIL $1: $2"
	echo x >>failed
}

finish() {
	if [ -s failed ]; then
		echo "some failed"
		exit 1
	fi
	exit 0
}

# Run the program without this host's configuration.
run() { timeout 60 "$domgrub" --config=none.conf "$@"; }

# expect NAME WANTED-FILE GOT-FILE
same() {
	if cmp -s "$2" "$3"; then
		ok "$1"
	else
		fail "$1" "not as expected:"
		diff "$2" "$3" | head -20
	fi
}

# ext IMAGE SIZE DIRECTORY [mke2fs options]
ext() {
	img=$1 size=$2 dir=$3
	shift 3
	rm -f "$img"
	truncate -s "$size" "$img"
	mke2fs -q -F -t ext4 -d "$dir" "$@" "$img"
}

# into DISK START-SECTOR IMAGE: write a file system to its place on a disk
into() { dd if="$3" of="$1" bs=512 seek="$2" conv=notrunc,sparse status=none; }

# plain: filter an answer, without the random parts of names
plain() { sed "s|$work/out/||g; s/\(boot_[a-z]*\)\.[A-Za-z0-9_]\{6,8\}/\1.X/g"; }

clean() { rm -f out/*; }
