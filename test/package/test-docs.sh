#!/bin/bash
# test-docs.sh DOMSTRAP DOMGRUB: what README, doc/ and the man pages show can be typed: every command of domstrap that
# they name is one, and every option is one of its options.
. "$(dirname "$0")/../lib.sh"
domstrap=$(realpath "$1") domgrub=$(realpath "$2")
lines=0
cd "$repo"

# shown FILE: the commands it shows, one a line: indented lines and `words`, "\" at the end of a line joins, "#" ends it
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
