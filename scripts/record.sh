#!/bin/bash
# record.sh [CONSOLE-LOG]: run the demo and make of it the pictures that README shows, doc/first-guest.svg and
# doc/menu.svg; or make them of a run that was: build/demo/console.log is what it leaves. The times, which are this
# machine's, are left out.
set -euo pipefail
. "$(dirname "$0")/common.sh"
if [ $# = 0 ]; then
  "$repo/demo/demo.sh"
  set -- "$work/demo/console.log"
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$repo/demo/show.pl" --color <"$1" >"$tmp/session" || die "$1: not the log of a demo that came to its end"
pick() { # pick FIRST LAST: the steps of these numbers
  awk -v first="$1" -v last="$2" '{ plain = $0; gsub(/\033\[[0-9;]*m/, "", plain) }
    plain ~ /^[0-9]+\. / { n = plain + 0 } plain ~ /^  \([0-9.]+ s\)$/ { next } n >= first && n <= last' "$tmp/session"
}
pick 1 2 | "$repo/scripts/svg.pl" "domstrap: the first guest" >"$repo/doc/first-guest.svg"
pick 3 5 | "$repo/scripts/svg.pl" "domstrap: a second generation, and back" >"$repo/doc/menu.svg"
