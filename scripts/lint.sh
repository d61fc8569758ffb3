#!/bin/bash
# lint.sh [CHECK...]: check the sources, by default with every CHECK:
#   shell     shellcheck over the scripts
#   format    clang-format over the C sources, in a fixed version, because versions format differently
#   spelling  codespell over all text; scripts/words.txt lists correct words that it would report
#   text      .editorconfig's rules: no trailing blanks, a newline at the end of the file, tabs or spaces as set
# Status 1 if something is wrong; 77 if only one CHECK is given and its tool is missing (install the tools with
# scripts/install-deps.sh lint).
set -euo pipefail
. "$(dirname "$0")/common.sh"
cd "$repo"
clang_format=clang-format-19

# tool NAME: whether it is installed; without it, the check is skipped
tool() {
  command -v "$1" >/dev/null || { say "skipped: no $1 here (scripts/install-deps.sh lint)"; return 77; }
}

check_shell() {
  tool shellcheck || return
  local ours small rc=0
  mapfile -t ours < <(our_files '*.sh' .ci/run 'debian/tests/*' | xargs grep -lE '^#!/bin/bash')
  # Tests use "A && ok || bad" (SC2015), single quotes protect text for Nix, sed and other shells (SC2016), and tests list
  # only file names that they made (SC2012, SC2013).
  shellcheck -x -P SCRIPTDIR -e SC2015,SC2016,SC2012,SC2013 "${ours[@]}" || rc=1

  # Scripts for busybox in dom0, in the guest and in Nix's builders: variables come from outside (SC2154, SC2034), files
  # are elsewhere (SC1091), @x@ is a path or list that Nix fills in (SC2239, SC2043, SC2157), words are split
  # intentionally (SC2013, SC2046, SC2012), and the parents of mkdir -m exist (SC2174).
  mapfile -t small < <(our_files 'demo/nixos/system/*.sh' 'demo/nixos/pkgs/*.sh' 'demo/nixos/iso/*' 'test/xen/dom0/*' 'test/xen/jobs/*/job')
  shellcheck -s dash -e SC2154,SC2034,SC1091,SC2239,SC2043,SC2157,SC2013,SC2046,SC2012,SC2174 "${small[@]}" || rc=1
  return "$rc"
}

check_format() {
  tool "$clang_format" || return
  local files wrong
  mapfile -t files < <(our_files '*.c' '*.h')
  wrong=$("$clang_format" --dry-run -Werror "${files[@]}" 2>&1 | sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u | tr '\n' ' ') || true
  [ -z "$wrong" ] || { say "to format: $clang_format -i $wrong"; return 1; }
}

check_spelling() {
  tool codespell || return
  local files
  # The corpora are binary inputs, and words.txt is the list of accepted words.
  mapfile -t files < <(our_files '*' | grep -vE '^fuzz/corpus/|^scripts/words.txt$')
  codespell --ignore-words scripts/words.txt "${files[@]}"
}

check_text() {
  local files found rc=0
  mapfile -t files < <(our_files '*' | grep -vE '^fuzz/corpus/|\.cases$|^lib/grub/test/menus/' | xargs grep -Il '')
  found=$(grep -nE '[[:blank:]]$' "${files[@]}" | sed -E 's/^([^:]*:[0-9]*):.*/\1: blanks at the end of the line/') || true
  [ -z "$found" ] || { echo "$found"; rc=1; }
  for f in "${files[@]}"; do
    [ -z "$(tail -c 1 "$f")" ] || { echo "$f: no newline at the end"; rc=1; }
  done
  mapfile -t files < <(our_files '*.nix' '*.md' '*meson.build')
  found=$(grep -nP '^ *\t' "${files[@]}" | sed -E 's/^([^:]*:[0-9]*):.*/\1: indented with a tab/') || true
  [ -z "$found" ] || { echo "$found"; rc=1; }
  return "$rc"
}

check() {
  case $1 in
    shell) check_shell ;;
    format) check_format ;;
    spelling) check_spelling ;;
    text) check_text ;;
    *) die "unknown check \"$1\"; there are shell, format, spelling and text" ;;
  esac
}

if [ $# = 1 ]; then
  check "$1"
  exit
fi
[ $# -gt 0 ] || set -- shell format spelling text
status=0
for name; do
  rc=0
  check "$name" || rc=$?
  [ $rc = 0 ] || [ $rc = 77 ] || { say "$name: see above"; status=1; }
done
exit $status
