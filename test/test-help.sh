#!/bin/bash
# test-help.sh PROGRAM MANPAGE [COMMAND...]: --help and the man page have the same options, for the program or its commands
# together; help is on stdout, at most 80 columns wide, with status 0.
. "$(dirname "$0")/lib.sh"
program=$1 page=$2
shift 2

for command in $("$program" --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p'); do
  [[ " $* " == *" $command "* ]] || bad "$command is not looked at"
done
[ $# -gt 0 ] || set -- ""
all=
for command; do
  # shellcheck disable=SC2086 # no command is no word
  text=$("$program" $command --help 2>/dev/null) || bad "$command --help: status $?"
  [ -n "$text" ] || bad "$command --help says nothing on stdout"
  wide=$(awk 'length > 80' <<<"$text")
  [ -z "$wide" ] || bad "$command --help is wider than 80 columns: $wide"
  all+=$text$'\n'
done
[ "$("$program" --help)" ] || bad "--help says nothing"
page_options=$(grep -oE 'Fl (Fl |-)[a-z][-a-z0-9]+' "$page" | sed -E 's/Fl (Fl |-)/--/' | sort -u)
help_options=$({ echo "$all"; "$program" --help; } | options)
for o in $(comm -23 <(echo "$help_options") <(echo "$page_options")); do bad "$o is in --help, not in $page"; done
for o in $(comm -13 <(echo "$help_options") <(echo "$page_options")); do bad "$o is in $page, not in --help"; done
[ "$failed" != 0 ] || ok "$(echo "$help_options" | wc -l) options agree"
finish
