#!/bin/sh
# SPDX-License-Identifier: MIT
# What must fail, with which status and message, and without leaving files; and
# what must only cause a warning. usage: refusals.sh DOMGRUB
. "$(dirname "$0")/common.sh"

mkdir -p root/boot/grub root/kernels
head -c 100000 /dev/urandom >root/kernels/k
head -c 50000 /dev/urandom >root/kernels/i
cfg() { cat >root/boot/grub/grub.cfg; ext img 8M root; }

# refused NAME STATUS WORDS [options]
refused() {
	name=$1 status=$2 words=$3
	shift 3
	clean
	rc=0
	run --output-directory=out "$@" >got 2>got.err </dev/null || rc=$?
	if [ $rc -ne "$status" ]; then
		fail "$name" "status $rc, not $status: $(cat got.err)"
	elif ! grep -qF -- "$words" got.err; then
		fail "$name" "no \"$words\" in: $(cat got.err)"
	elif [ -s got ]; then
		fail "$name" "an answer: $(cat got)"
	elif [ -n "$(ls out)" ]; then
		fail "$name" "left behind: $(ls out)"
	else
		ok "$name"
	fi
}

# warned NAME WORDS [options]
warned() {
	name=$1 words=$2
	shift 2
	clean
	if ! run -q --output-directory=out "$@" >got 2>got.err; then
		fail "$name" "$(cat got.err)"
	elif ! grep -qF -- "$words" got.err; then
		fail "$name" "no \"$words\" in: $(cat got.err)"
	else
		ok "$name"
	fi
}

cfg <<'END'
menuentry One { linux /kernels/k one
initrd /kernels/i }
menuentry Two { linux /kernels/gone }
menuentry Three { multiboot2 /kernels/k }
END
refused "missing DISK" 2 "missing DISK"
refused "two disks" 2 'unexpected argument "img2"' img img2
refused "unknown option" 2 "--help" --nonsense img
refused "ambiguous option" 2 "ambiguous" --out=x img
refused "no such disk" 1 "nowhere.img: No such file" nowhere.img
refused "a directory as disk" 2 "neither a file nor a block device" root
refused "unknown format" 2 '--output-format: unknown output format "xml"; expected sxp, simple or simple0' --output-format=xml img
refused "no such entry" 1 'no entry "Four"' --entry=Four img
refused "entry out of range" 1 'no entry "9"' --entry=9 img
refused "no such kernel" 1 "/kernels/gone" --entry=Two img
refused "no kernel of ours" 1 "multiboot" --entry=Three img
refused "no directory" 1 "nodir: No such file" --output-directory=nodir img
refused "a file as directory" 2 "img: not an existing directory" --output-directory=img img
refused "root in the jail" 2 "need a non-root user ID" --runas=0 img
refused "newline in --args" 1 "newline" -q --args="$(printf 'a\nb')" img
refused "long arguments" 1 "args: 9004 bytes; libxl accepts at most 8191" -q \
	--args="$(head -c 8995 /dev/zero | tr '\0' x)" img
refused "--kernel that is not there" 1 "/gone: not found" --kernel=/gone img
refused "xapi sees the reason" 1 "domgrub: RuntimeError: " --output-format=simple --entry=9 img

refused "offset behind the end" 2 "offset: 8388608 is not below the size of img, 8388608 bytes" --offset=8388608 img
refused "offset that is none" 2 '--offset: need a number of bytes, got "0x10"' --offset=0x10 img
refused "empty output directory" 2 "--output-directory: empty path" --output-directory= img
refused "empty disk" 2 "--disk: empty path" --disk= img

# If the answer cannot be written, that is a failure, and nothing is left behind.
unanswered() { # NAME WORDS COMMAND...
	name=$1 words=$2
	shift 2
	clean
	rc=0
	"$@" >got 2>got.err || rc=$?
	[ $rc -eq 1 ] && grep -qF -- "$words" got.err && [ -z "$(ls out)" ] && [ ! -e answer ] && ok "$name" ||
		fail "$name" "status $rc: $(cat got.err) $(ls out answer 2>/dev/null)"
}
rm -f answer
q="$domgrub --config=none.conf -q --output-directory=out"
unanswered "no entry, no answer's file" 'no entry "9"' run --output-directory=out --output=answer --entry=9 img
unanswered "a closed standard output" "standard output: " sh -c "$q img >&-"
unanswered "a closed standard output for -l" "standard output: " sh -c "$domgrub --config=none.conf -l img >&-"
unanswered "a full standard output" "No space left" sh -c "$q img >/dev/full"
unanswered "a full file" "No space left" run -q --output-directory=out --output=/dev/full img
unanswered "help to a full file" "standard output: " sh -c "$domgrub --help >/dev/full"
echo before >answer
clean
run -q --output-directory=out --output=answer --entry=9 img 2>/dev/null || true
[ "$(cat answer)" = before ] && ok "a file that was there" || fail "a file that was there" "$(cat answer)"
run -q --output-directory=out --output=answer --kernel= img 2>got.err && grep -q "'one'" answer &&
	! grep -q before answer && ok "an empty --kernel is none" || fail "empty --kernel" "$(cat got.err answer)"
rm -f answer

for key in max-kernel max-ramdisk max-memory max-cpu-seconds max-seconds max-copy-seconds max-config \
	max-steps max-entries max-initrds max-names max-value; do
	for value in 0 -1 none "" 4T4 9999999T; do
		printf '\n\n%s = %s\n' $key "$value" >conf
		refused "$key = $value" 2 "conf: line 3: $key: need a number above 0, with or without K, M or G, got \"$value\"" --config=conf img
	done
	printf '%s = 4000T\n' $key >conf
	refused "$key = 4000T" 2 "conf: line 1: $key: 4000T is larger than the limit of " --config=conf img
done
printf 'runas = nobody\n' >conf
refused "runas = nobody" 2 'conf: line 1: runas: need a non-root user ID, got "nobody"' --config=conf img
printf 'output-format = xml\n' >conf
refused "output-format = xml" 2 'conf: line 1: output-format: unknown output format "xml"; expected sxp' --config=conf img
printf 'disk =\n' >conf
refused "disk =" 2 'conf: line 1: disk: empty path' --config=conf img

printf 'max-kernel = 50K\n' >conf
refused "large kernel" 1 "kernel: 100000 bytes, larger than the limit of 51200" -q --config=conf img
printf '# a comment\nmax-ramdisk = 10K\n' >conf
refused "large ramdisk" 1 "ramdisk: larger than the limit of 10240 bytes" -q --config=conf img
printf 'max-config = 10\n' >conf
refused "large menu" 1 "grub.cfg" -q --config=conf img
printf 'runas 5\n' >conf
refused "configuration without =" 2 "conf: line 1: no \"=\"" --config=conf img
printf '\nrunus = 5\n' >conf
refused "unknown key" 2 'conf: line 2: unknown key "runus"' --config=conf img
printf 'quiet = maybe\n' >conf
refused "neither yes nor no" 2 'conf: line 1: quiet: need yes or no, got "maybe"' --config=conf img
refused "no such configuration" 1 "none: No such file" --config=none img
PYGRUB_MAX_FILE_SIZE_MB=1
export PYGRUB_MAX_FILE_SIZE_MB
head -c 1100000 /dev/urandom >root/kernels/k
cfg <<'END'
menuentry One { linux /kernels/k }
END
refused "pygrub's variable" 1 "kernel: 1100000 bytes, larger than the limit of 1048576" -q img
unset PYGRUB_MAX_FILE_SIZE_MB
head -c 100000 /dev/urandom >root/kernels/k

: >img
refused "empty file" 1 "no boot menu" img
head -c 1M /dev/zero >img
refused "zeros" 1 "no boot menu" img
head -c 1M /dev/urandom >img
refused "noise" 1 "no boot menu" img
rm root/boot/grub/grub.cfg
ext img 8M root
refused "no menu" 1 "no boot menu" img
cfg <<'END'
while true; do true; done
END
refused "endless script" 1 "steps" img
cfg <<'END'
menuentry One { linux /kernels/loop }
END
ln -s loop root/kernels/loop
ext img 8M root
refused "link to itself" 1 "symbolic links" -q img
cfg <<'END'
menuentry "evil" { linux /kernels/k "a
b" }
END
refused "the guest's newline" 1 "newline" -q img
printf 'menuentry "\033]0;evil\007" { linux /kernels/\033[2J }\n' | cfg
refused "the guest's escapes" 1 '\x1b[2J' -q img
if run -l img 2>&1 | grep -q "$(printf '\033')"; then
	fail "escapes in a list" "raw"
else
	ok "escapes in a list"
fi

# A file that is not a kernel is still copied, with a warning.
cfg <<'END'
menuentry One { linux /kernels/k }
nonsense
END
warned "no kernel at all" "neither a bzImage nor an ELF file" img
warned "unknown command" "nonsense" img
printf 'check-kernel = no\n' >conf
run -q --config=conf --output-directory=out img 2>&1 >/dev/null | grep -q bzImage &&
	fail "check-kernel = no" "checked" || ok "check-kernel = no"

# Without the three standard descriptors, nothing is written to the wrong file.
clean
run -q --output-directory=out --output=answer img <&- >&- 2>&- || fail "no descriptors" "failed"
cmp -s out/boot_kernel.* root/kernels/k && ok "no descriptors" || fail "no descriptors" "mixed up"

# next_entry: used once, and cleared only with --write-env.
grub_env() { # NEXT
	{
		printf '# GRUB Environment Block\nnext_entry=%s\n' "$1"
		head -c 1024 /dev/zero | tr '\0' '#'
	} | head -c 1024
}
one_time() { # KERNEL [LINE]: the next start boots entry Two, with that kernel
	grub_env Two >root/boot/grub/grubenv
	cfg <<-END
		load_env
		if [ "\${next_entry}" ]; then
		  set default="\${next_entry}"
		  set next_entry=
		  save_env next_entry
		fi
		menuentry One { linux /kernels/k one }
		menuentry Two { linux $1 two
		${2-} }
	END
}
one_time /kernels/k
cp img before
warned "next_entry without --write-env" "--write-env" img
grep -q "'two'" got || fail "next_entry" "not used: $(cat got)"
cmp -s img before && ok "the disk is as it was" || fail "the disk" "was written"
run -q --write-env --output-directory=out img >got 2>got.err || fail "--write-env" "$(cat got.err)"
grep -q "'two'" got || fail "next_entry with --write-env" "not used: $(cat got)"
[ "$(cmp -l img before | wc -l)" -gt 0 ] && [ "$(cmp -l img before | wc -l)" -le 1024 ] &&
	ok "only the block was written" || fail "--write-env" "$(cmp -l img before | wc -l) bytes differ"
run -q --write-env --output-directory=out img >got 2>got.err
grep -q "'one'" got && ok "next_entry only once" || fail "next_entry" "again: $(cat got)"
e2fsck -fn img >/dev/null 2>&1 && ok "e2fsck is content" || fail "e2fsck" "is not"
clean

# An entry for one start is used up, even if it cannot be booted: its kernel is missing, or a file over a limit.
used_up() { # WHAT KERNEL OPTION...
	local what=$1 kernel=$2 rc=0
	shift 2
	one_time "$kernel" "initrd /kernels/i"
	cp img before
	run -q "$@" --output-directory=out img >got 2>got.err || rc=$?
	[ $rc = 1 ] && [ ! -s got ] || fail "$what" "status $rc: $(cat got got.err)"
	cmp -s img before || fail "$what" "written without --write-env"
	rc=0
	run -q "$@" --not-really --write-env --output-directory=out img >got 2>got.err || rc=$?
	[ $rc = 1 ] && cmp -s img before || fail "$what" "--not-really: status $rc, or written"
	rc=0
	run -q "$@" --write-env --output-directory=out img >got 2>got.err || rc=$?
	[ $rc = 1 ] && [ ! -s got ] && [ "$(wc -l <got.err)" = 1 ] || fail "$what" "status $rc: $(cat got got.err)"
	run -q "$@" --write-env --output-directory=out img >got 2>got.err || fail "$what" "$(cat got.err)"
	grep -q "'one'" got && ok "$what" || fail "$what" "again: $(cat got)"
	e2fsck -fn img >/dev/null 2>&1 || fail "$what" "e2fsck"
	clean
}
used_up "next_entry without its kernel" /kernels/none
echo "max-ramdisk = 1K" >small.conf
used_up "next_entry over a limit" /kernels/k --config=small.conf

# The same if its kernel cannot be copied.
one_time /kernels/k "initrd /kernels/i"
rc=0
# shellcheck disable=SC2016 # for the other shell
unshare -m sh -c 'mount -t tmpfs -o size=128K none out && "$@"' sh \
	timeout 60 "$domgrub" -q --config=none.conf --write-env --output-directory=out img >got 2>got.err </dev/null || rc=$?
if grep -q "unshare: \|mount: " got.err; then
	echo "skip next_entry without room: no mounts here"
else
	[ $rc = 1 ] && grep -q "need 150000 bytes" got.err || fail "next_entry without room" "$(cat got got.err)"
	run -q --write-env --output-directory=out img >got 2>got.err
	grep -q "'one'" got && ok "next_entry without room" || fail "next_entry without room" "again: $(cat got)"
fi
clean

# Not enough space in the output directory: nothing is copied.
cfg <<'END'
menuentry One { linux /kernels/k
initrd /kernels/i }
END
clean
rc=0
# shellcheck disable=SC2016 # for the other shell
unshare -m sh -c 'mount -t tmpfs -o size=128K none out && "$@"; rc=$?; ls out; exit $rc' sh \
	timeout 60 "$domgrub" -q --config=none.conf --output-directory=out img >got 2>got.err </dev/null || rc=$?
if grep -q "unshare: \|mount: " got.err; then
	echo "skip no room: no mounts here"
elif [ $rc = 1 ] && [ ! -s got ] && grep -q "need 150000 bytes, but its file system has 131072 free, of which domgrub leaves 8192" got.err; then
	ok "no room"
else
	fail "no room" "status $rc: $(cat got got.err)"
fi
finish
