#!/bin/bash
# record.sh [CONSOLE-LOG]: run the demo and make the pictures of README from it, doc/first-guest.svg and doc/menu.svg; or
# make them from the log of an earlier demo (build/demo/console.log). Times are left out, because they depend on the machine.
set -euo pipefail
. "$(dirname "$0")/common.sh"
if [ $# = 0 ]; then
  "$repo/demo/demo.sh"
  set -- "$work/demo/console.log"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$repo/demo/show.pl" --color <"$1" >"$tmp/session" || die "$1: not the log of a demo that succeeded"
pick() { # pick FIRST LAST: the steps with these numbers
  awk -v first="$1" -v last="$2" '{ plain = $0; gsub(/\033\[[0-9;]*m/, "", plain) }
    plain ~ /^[0-9]+\. / { n = plain + 0 } plain ~ /^  \([0-9.]+ s\)$/ { next } n >= first && n <= last' "$tmp/session"
}
pick 1 2 | "$repo/scripts/svg.pl" "domstrap: the first guest" >"$repo/doc/first-guest.svg"
pick 3 5 | "$repo/scripts/svg.pl" "domstrap: a second generation, and back" >"$repo/doc/menu.svg"
