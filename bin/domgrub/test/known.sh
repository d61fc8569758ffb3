#!/bin/sh
# SPDX-License-Identifier: MIT
# A kernel that was checked once is remembered, and not unpacked again; and the cases in which it is.
# usage: known.sh DOMGRUB KERNEL.PY
. "$(dirname "$0")/common.sh"
kernel_py=$2

mkdir -p root/boot/grub
echo 'menuentry "One" { linux /kernel }' >root/boot/grub/grub.cfg

# disk NAME PV PVH: a guest whose kernel supports PV (0 or 1) and PVH (0 or 1)
disk() {
	python3 "$kernel_py" "$1" "$2" "$3" root/kernel
	ext "$1.img" 4M root
}

# boot IMAGE [CONFIGURATION]: run domgrub; its messages are in the file said
boot() {
	clean
	timeout 60 "$domgrub" --config="${2:-known.conf}" --debug -q --output-directory=out "$1" >got 2>said ||
		fail "$1" "no answer: $(cat said)"
	[ -s got ] || fail "$1" "an empty answer"
}

# check NAME known|new|bad LINES: check the messages about the last kernel, and how many are remembered
check() {
	is=new
	! grep -qF "not unpacked" said || is=known
	! grep -qF "cannot boot as a Xen guest" said || is=bad
	lines=0
	[ ! -e cache/kernels ] || lines=$(wc -l <cache/kernels)
	if [ "$is $lines" = "$2 $3" ]; then
		ok "$1"
	else
		fail "$1" "$is, $lines remembered: $(cat said)"
	fi
}

echo "known-kernels = $work/cache/kernels" >known.conf
disk both 1 1
disk pv 1 0
disk bad 0 0
boot both.img
check "a first kernel" new 1
boot both.img
check "it again" known 1
[ "$(stat -c '%a' cache/kernels) $(stat -c '%a' cache)" = "600 700" ] && ok "modes" || fail "modes" "$(ls -la cache)"
boot pv.img
check "another kernel" new 2
boot both.img
check "the first again" known 2
boot bad.img
check "one that cannot boot" bad 2
boot bad.img
check "it is told each time" bad 2
[ "$(ls -A cache)" = kernels ] && ok "nothing beside it" || fail "nothing beside it" "$(ls -A cache)"


# The same kernel except for a byte at its end, which no loader reads.
python3 "$kernel_py" pv 1 0 root/kernel
printf x >>root/kernel
ext other.img 4M root
boot other.img
check "another byte" new 3

# Not compressed: checking it again is cheaper than remembering it.
python3 - root/kernel <<'END'
import gzip, struct, sys
with open(sys.argv[1], "rb") as f:
    packed = f.read()
at, size = struct.unpack_from("<II", packed, 0x248)
start = (packed[0x1F1] + 1) * 512 + at
elf = gzip.decompress(packed[start : start + size])
plain = bytearray(packed[:start] + elf)
struct.pack_into("<I", plain, 0x24C, len(elf))
with open(sys.argv[1], "wb") as f:
    f.write(plain)
END
ext plain.img 4M root
boot plain.img
check "not packed" new 3

# The notes of a kernel compressed with xz are 12 MiB into it, but unpacking uses no space in the output directory of 1 MiB.
python3 "$kernel_py" both 1 1 root/kernel
python3 - root/kernel <<'END'
import gzip, lzma, struct, sys
with open(sys.argv[1], "rb") as f:
    packed = f.read()
at, size = struct.unpack_from("<II", packed, 0x248)
start = (packed[0x1F1] + 1) * 512 + at
elf = bytearray(gzip.decompress(packed[start : start + size]))
notes = elf[120:]
struct.pack_into("<Q", elf, 64 + 8, 12 << 20)
payload = lzma.compress(elf[:120] + bytes((12 << 20) - 120) + notes)
head = bytearray(packed[:start])
struct.pack_into("<I", head, 0x24C, len(payload))
with open(sys.argv[1], "wb") as f:
    f.write(head + payload)
END
ext far.img 4M root
# shellcheck disable=SC2016 # for the other shell
unshare -m sh -c 'mount -t tmpfs -o size=1M none out && "$@"' sh timeout 60 "$domgrub" --config=known.conf --debug -q \
	--output-directory=out far.img >got 2>said || :
if grep -q "unshare: \|mount: " said; then
	echo "skip a small output directory: no mounts here"
	boot far.img
else
	grep -q "warning" said && fail "a small output directory" "$(cat said)" || ok "a small output directory"
fi
check "notes far inside" new 4

# At most 256 are kept, the newest first.
seq 1 256 | sed 's/.*/0000000000000000000000000000000000000000000000000000000000000000&/; s/.*\(.\{64\}\)$/\1/' >cache/kernels
boot pv.img
check "the oldest is forgotten" new 256
grep -q '0256$' cache/kernels && fail "the oldest" "is there" || ok "the oldest"
boot pv.img
check "the newest is there" known 256

# An invalid file counts as empty, and is written again.
for odd in "not a sum" "$(printf '%064d' 1)0" "$(printf '%064d' 1) " "$(head -c 20000 /dev/zero | tr '\0' 0)"; do
	echo "$odd" >cache/kernels
	boot pv.img
	check "odd: $(echo "$odd" | head -c 20)" new 1
done
seq 1 257 | sed 's/.*/0000000000000000000000000000000000000000000000000000000000000000&/; s/.*\(.\{64\}\)$/\1/' >cache/kernels
boot pv.img
check "too many" new 1

# No file by configuration; and files that cannot be made, which cause a warning if they are configured.
rm -rf cache
printf 'known-kernels = no\n' >no.conf
boot pv.img no.conf
check "no" new 0
boot pv.img no.conf
check "no, again" new 0
: >file
printf 'known-kernels = %s/file/kernels\n' "$work" >bad.conf
boot pv.img bad.conf
grep -q "warning: .*/file: " said && ok "where nothing can be" || fail "where nothing can be" "$(cat said)"
printf 'known-kernels = kernels\n' >relative.conf
if run -q --config=relative.conf --output-directory=out pv.img >got 2>said; then
	fail "a relative path" "taken"
else
	grep -qF 'relative.conf: line 1: known-kernels: need an absolute path or "no", got "kernels"' said &&
		ok "a relative path" || fail "a relative path" "$(cat said)"
fi
finish
