#!/bin/bash
# test-docs.sh DOMSTRAP DOMGRUB: the command lines in README, doc/ and the man pages are valid: every command of domstrap
# exists and has the options shown.
. "$(dirname "$0")/../lib.sh"
domstrap=$(realpath "$1") domgrub=$(realpath "$2")
lines=0
cd "$repo"

# shown FILE: print its command lines, one per line: indented lines and `words`; "\" at the end joins lines, "#" ends one
shown() {
  case $1 in
    *.md) { grep '^    ' "$1"; grep -o '`[^`]*`' "$1" | tr -d '`'; } ;;
    *) sed -n '/^\.Bd -literal/,/^\.Ed/p' "$1" | sed 's/\\e$/\\/; s/\\(dq/"/g' ;;
  esac | sed -e ':a' -e '/\\$/{N;s/\\\n//;ta' -e '}' | sed 's/ #.*//; s/^[[:space:]$#]*//' | grep -E '^(domstrap|domgrub) ' || true
}

for file in README.md doc/*.md bin/*/*.[15]; do
  while read -r program command rest; do
    lines=$((lines + 1))
    if [ "$program" = domgrub ]; then
      known=$("$domgrub" --help | options)
      rest="$command $rest"
    elif ! known=$({ "$domstrap" "$command" --help && "$domstrap" --help; } 2>&1 | options); then
      bad "$file: domstrap $command is no command"
      continue
    fi
    for o in $(options <<<"$rest"); do
      grep -qx -- "$o" <<<"$known" || bad "$file: $program $command has no $o"
    done
  done < <(shown "$file")
done
[ $lines -gt 30 ] || bad "only $lines commands found"
[ "$failed" != 0 ] || ok "$lines commands can be typed"
finish
