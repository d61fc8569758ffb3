#!/bin/sh
# SPDX-License-Identifier: MIT
# Ask the real GRUB about scripts.cases (grub-emu) and syntax.cases
# (grub-script-check): what the tests expect must be what GRUB does, but for
# the cases whose name ends in "[differs]".
# usage: oracle.sh DIRECTORY; status 77 where GRUB is not installed.
set -u
dir=$1
for tool in grub-emu grub-script-check script awk; do
	command -v "$tool" >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

# Cases become files: NNNN.name, NNNN.script, NNNN.want (without empty lines).
awk -v d="$tmp" '
	/^== / { n++; part = "script"; f = sprintf("%s/%04d", d, n)
		 print substr($0, 4) > (f ".name"); printf "" > (f ".script"); printf "" > (f ".want")
		 next }
	/^--$/ && part == "script" { part = "want"; next }
	{ if (part == "want" && $0 == "") next; print > (f "." part) }
' "$dir/scripts.cases"

# What a script prints on GRUB's console: no escapes, greeting, errors, empty lines.
run() {
	mkdir -p "$tmp/boot"
	{ cat "$1"; printf '\necho END-OF-RUN\nexit\n'; } >"$tmp/boot/grub.cfg"
	timeout 8 script -qec "stty cols 240 rows 200; grub-emu -d $tmp/boot" /dev/null </dev/null |
		sed -e 's/\x1b\[[?0-9;]*[a-zA-Z]//g' -e 's/\x1b[()][A-Z0-9]//g' | tr -d '\r' |
		awk '/GNU GRUB/ { exit }
		     { end = sub(/END-OF-RUN.*/, "") }
		     !/^Welcome to GRUB/ && !/^error: / && $0 != "" { print }
		     end { exit }'
}

for name in "$tmp"/*.name; do
	case=${name%.name}
	case $(cat "$name") in *"[differs]") continue ;; esac
	run "$case.script" >"$tmp/got"
	if cmp -s "$tmp/got" "$case.want"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "$(cat "$name"): GRUB says"
		cat "$tmp/got"
	fi
done

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
