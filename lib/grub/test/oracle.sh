#!/bin/sh
# SPDX-License-Identifier: MIT
# Run scripts.cases and entries.cases with GRUB itself (grub-emu), and syntax.cases
# with grub-script-check: the tests must expect what GRUB does. Cases with names
# that end in "[differs]" or "[disks]" (they need the disks of test_script.c) are
# excepted. usage: oracle.sh DIRECTORY; status 77 if GRUB is not installed.
set -u
dir=$1
for tool in grub-emu grub-script-check script awk; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# A file's cases become files: NNNN.name, NNNN.script, NNNN.want (without empty lines).
split() {
	rm -rf "$tmp/cases" && mkdir "$tmp/cases"
	awk -v d="$tmp/cases" '
		/^== / { n++; part = "script"; f = sprintf("%s/%04d", d, n)
			 print substr($0, 4) > (f ".name")
			 printf "" > (f ".script"); printf "" > (f ".want"); next }
		/^--$/ && part == "script" { part = "want"; next }
		{ if (part == "want" && $0 == "") next; print > (f "." part) }
	' "$1"
}

# What GRUB prints, without escapes, greeting, errors, empty lines and its own menu.
run() {
	timeout 8 script -qec "stty cols 240 rows 200; grub-emu -d $tmp/boot" /dev/null </dev/null |
		sed -e 's/\x1b\[[?0-9;]*[a-zA-Z]//g' -e 's/\x1b[()][A-Z0-9]//g' | tr -d '\r' |
		awk '/GNU GRUB|^Press any key|Failed to boot/ { exit }
		     { end = sub(/END-OF-RUN.*/, "") }
		     !/^Welcome to GRUB/ && !/^error: / && !/^  Booting `/ && $0 != "" { print }
		     end { exit }'
}

# compare FILE TAIL: run each case, with TAIL appended to its script
compare() {
	split "$1"
	mkdir -p "$tmp/boot"
	for name in "$tmp"/cases/*.name; do
		case=${name%.name}
		case $(cat "$name") in *"]") continue ;; esac
		{ cat "$case.script"; printf '\n%s\n' "$2"; } >"$tmp/boot/grub.cfg"
		run >"$tmp/got"
		if cmp -s "$tmp/got" "$case.want"; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "$(cat "$name"): GRUB says"
			cat "$tmp/got"
		fi
	done
}

compare "$dir/scripts.cases" 'echo END-OF-RUN; exit'
compare "$dir/entries.cases" ''

while IFS= read -r line; do
	want=${line%"${line#?}"}
	case $want in [+-]) ;; *) continue ;; esac
	printf '%s' "${line#??}" | awk '{ gsub(/\\n/, "\n"); printf "%s", $0 }' >"$tmp/syntax"
	if grub-script-check "$tmp/syntax" >"$tmp/why" 2>&1 || grep -q 'no commands' "$tmp/why"; then
		got=+
	else
		got=-
	fi
	if [ "$got" = "$want" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$line: GRUB says $got"
	fi
done <"$dir/syntax.cases"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
