#!/bin/sh
# SPDX-License-Identifier: MIT
# domgrub with children that a guest has taken over: whatever they try, the
# caller gets an error, no answer and no file. usage: rogue.sh DOMGRUB_ROGUE
. "$(dirname "$0")/common.sh"

head -c 8192 /dev/zero >img
cp img before
printf 'max-seconds = 2\ncheck-kernel = no\n' >conf

# caught DEED WORDS [options]
caught() {
	deed=$1 words=$2
	shift 2
	clean
	rc=0
	ROGUE=$deed timeout 30 "$domgrub" --config=conf -q --output-directory=out "$@" img \
		>got 2>got.err </dev/null || rc=$?
	if [ $rc -ne 1 ]; then
		fail "$deed" "status $rc: $(cat got.err)"
	elif ! grep -qF -- "$words" got.err; then
		fail "$deed" "no \"$words\" in: $(cat got.err)"
	elif [ -s got ] || [ -n "$(ls out)" ]; then
		fail "$deed" "answered or left something: $(cat got) $(ls out)"
	elif ! cmp -s img before; then
		fail "$deed" "the disk was written"
	else
		ok "$deed"
	fi
}

for deed in open socket fork write change; do
	caught $deed "child: killed: it made a system call that the jail forbids"
done
caught crash "child: crashed: "
caught leave "child: ended too early"
caught silence "child: timed out"
caught wrong-message "child: message 107 is not allowed in state 3"
caught endless-message "child: message 104 of 4294967295 bytes, larger than"
caught half-message "child: ended in the middle of a message"
caught no-format "child: malformed message (plan)"
caught newline "arguments contain a NUL or a newline"
caught large-kernel "larger than the limit"
caught other-kernel-size "the copied kernel's size differs"
caught larger-file "bytes were copied, expected 5"
caught hole "0 bytes were copied, expected 1048576"
caught hidden-ramdisk "the copied ramdisk's size differs"
caught foreign-disk "environment block on disk 5, but there are 1 disks" --write-env
caught foreign-block "no GRUB environment block at byte 0" --write-env
caught early-disk "environment block on disk 5, but there are 1 disks" --write-env
caught early-block "no GRUB environment block at byte 0" --write-env

# A boot counter is changed by another child, which gets a disk that exists and the path of an entry.
caught count-disk "boot counter on disk 5, bytes 0 to 7168, which is on none of the 1 disks" --write-env
caught count-place "boot counter on disk 0, bytes 1025 to 8193" --write-env
caught count-far "boot counter on disk 0, bytes 9223372036854775807" --write-env
for deed in count-file count-plain count-above; do
	caught $deed "child: malformed message (plan)" --write-env
done
counter="/loader/entries/x+3.conf: its boot counter: renamer"
for deed in renamer-open renamer-fork; do
	caught $deed "$counter: killed: it made a system call that the jail forbids" --write-env
done
caught renamer-crash "$counter: crashed: " --write-env
caught renamer-leave "$counter: ended too early" --write-env
caught renamer-silence "$counter: timed out" --write-env
caught renamer-plan "$counter: message 104 is not allowed in state 10" --write-env
caught renamer-message "$counter: message 107 is not allowed in state 10" --write-env
caught renamer-endless "$counter: message 104 " --write-env
caught renamer-grows "$counter: ended too early" --write-env
# It can say that it could not, or that it did.
for deed in renamer-fails renamer-done; do
	clean
	ROGUE=$deed "$domgrub" --config=conf -q --write-env --output-directory=out img >got 2>got.err || fail $deed "$(cat got.err)"
	grep -q "(args 'args')" got && cmp -s img before && ok $deed || fail $deed "$(cat got got.err)"
	! grep -q "$(printf '\033')" got.err || fail $deed "an escape sequence: $(cat got.err)"
done

# Stopped while it waits for the copies: nothing is left behind.
clean
ROGUE=stall timeout -s TERM 0.5 "$domgrub" --config=none.conf -q --output-directory=out img >got 2>got.err </dev/null || true
[ -z "$(ls out)" ] && [ ! -s got ] && grep -q "stopped by a signal" got.err && ok "SIGTERM leaves nothing" ||
	fail "SIGTERM" "left: $(ls -la out) $(cat got got.err)"

clean
ROGUE=escapes "$domgrub" --config=conf -q --output-directory=out img >got 2>got.err ||
	fail escapes "$(cat got.err)"
if grep -q "$(printf '\033')" got.err || ! grep -qF '\x1b[2Jnote\x0d\x0a' got.err; then
	fail escapes "$(cat got.err)"
else
	ok escapes
fi

# The same child without an attack: this shows that the attacks caused the failures above.
clean
ROGUE=honest "$domgrub" --config=conf -q --output-directory=out img >got 2>got.err ||
	fail honest "$(cat got.err)"
[ "$(cat out/boot_kernel.*)" = kernel ] && grep -q "(args 'args')" got && ok honest || fail honest "$(cat got)"
finish
