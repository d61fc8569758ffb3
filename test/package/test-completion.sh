#!/bin/bash
# test-completion.sh DIR PROGRAM...: the completions of bash, zsh and fish with the scripts in DIR match PROGRAMs' --help:
# all commands, all options of each command and no others, values that are a closed set, files and directories. The shells
# themselves do the completion; if one is not installed, it is left out, and the test counts as skipped.
. "$(dirname "$0")/../lib.sh"
scripts=$(readlink -f "$1")
shift
programs=("$@")
here=$repo/test/package
scratch
skipped=''

# complete_in_SHELL: read command lines, print "LINE<tab>WORD" for each completion WORD at the end of LINE
complete_in_bash() {
  # shellcheck disable=SC2016 # it is the other bash that expands this
  bash --norc -c '
    cd "$1"
    for program in "${@:3}"; do . "$2/${program##*/}"; done
    while IFS= read -r line; do
      # As readline splits it: "=" is a separate word.
      read -ra COMP_WORDS <<<"${line//=/ = }"
      [[ $line != *" " && $line != *= ]] || COMP_WORDS+=("")
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
      complete -p "${COMP_WORDS[0]}" >/dev/null || exit
      "$(complete -p "${COMP_WORDS[0]}" | sed "s/.*-F \([^ ]*\) .*/\1/")"
      [ ${#COMPREPLY[@]} = 0 ] || printf "$line\t%s\n" "${COMPREPLY[@]}"
    done' bash "$dir/files" "$scripts" "${programs[@]}"
}
complete_in_zsh() { (cd "$dir/files" && zsh -f "$here/complete.zsh" "$scripts"); }
complete_in_fish() {
  # shellcheck disable=SC2016
  (cd "$dir/files" && fish --no-config -c '
    for program in $argv[2..]; source $argv[1]/(basename $program).fish; end
    while read -l line
      for word in (complete -C $line); printf "%s\t%s\n" $line (string split -f 1 \t -- $word); end
    end' "$scripts" "${programs[@]}")
}

commands() { "$1" --help | sed -nE 's/^  ([a-z]+)  +.*/\1/p'; }

# The expected completions, as "LINE<tab>WORD".
mkdir -p "$dir/files/a directory" "$dir/files/adir"
touch "$dir/files/a.cfg"
: >"$dir/lines"
: >"$dir/want"
want() { # want LINE WORD...: exactly these
  local line=$1
  shift
  echo "$line" >>"$dir/lines"
  for word; do printf '%s\t%s\n' "$line" "$word" >>"$dir/want"; done
}
for program in "${programs[@]}"; do
  name=${program##*/}
  mapfile -t list < <(commands "$program")
  if [ ${#list[@]} = 0 ]; then
    mapfile -t words < <("$program" --help | options)
    want "$name --" "${words[@]}"
    continue
  fi
  want "$name " "${list[@]}"
  for command in "${list[@]}"; do
    mapfile -t words < <("$program" "$command" --help | options)
    want "$name $command --" "${words[@]}"
    # Closed sets of values in --help.
    while read -r option values; do
      # shellcheck disable=SC2086 # words
      want "$name $command $option " ${values//|/ }
    done < <("$program" "$command" --help | sed -nE 's/^ .*(--[a-z][-a-z0-9]*) ([a-z0-9]+(\|[a-z0-9]+)+)$/\1 \2/p; s/^ .*(--[a-z][-a-z0-9]*) ([a-z0-9]+(\|[a-z0-9]+)+)  .*/\1 \2/p')
  done
done
want "domstrap update a.c" a.cfg
want "domstrap create x --configuration a.c" a.cfg
want "domstrap create x --memory "
want "domstrap init adi" adir
want "domgrub a.c" a.cfg
want "domgrub --output-format=simple" simple simple0
[ "$(grep -c 'domstrap create --layout ' "$dir/want")" = 2 ] && ok "there are closed sets" || bad "there are closed sets"

# Ignore differences between shells: short options, the program's own options, blanks after a word; fish repeats an option
# before its value, and zsh and fish append "/" to a directory.
plain() {
  sed -E 's/\t--[a-z-]+=/\t/; s/\/$//' | awk -F '\t' '!($2 ~ /^-[a-zA-Z]$/) && !($1 == "domstrap " && $2 ~ /^--/)' | sort -u
}
sort -u "$dir/want" >"$dir/want.sorted"
for shell in bash zsh fish; do
  command -v $shell >/dev/null || { skipped+=" $shell"; continue; }
  if ! "complete_in_$shell" <"$dir/lines" >"$dir/raw" 2>"$dir/err"; then
    bad "$shell: $(cat "$dir/err")"
    continue
  fi
  plain <"$dir/raw" >"$dir/got"
  if difference=$(diff "$dir/want.sorted" "$dir/got"); then
    ok "$shell offers $(wc -l <"$dir/got") words at the ends of $(wc -l <"$dir/lines") lines"
  else
    bad "$shell (< is in --help only, > is offered only):"$'\n'"$difference"
  fi
  [ ! -s "$dir/err" ] || bad "$shell: $(cat "$dir/err")"
done
[ "$failed" != 0 ] || [ -z "$skipped" ] || { echo "skipped: no$skipped here (scripts/install-deps.sh package)"; exit 77; }
finish
