#!/bin/bash
# SPDX-License-Identifier: MIT
# table.sh DOMGRUB SOURCES: the first table of doc/domgrub.md says what happens. Makes the disks of each row
# (table_disks.sh), boots them with domgrub and with pygrub of Debian 12 and 13, which scripts/get-pygrub.sh fetches, and compares
# each row that table_rows.sh describes with the one in the page. TABLE_WRITE=1 writes the table into the page instead.
#
# What comes out of a disk is one of these words:
#   boots     the kernel, the ramdisk and the arguments that the row wants
#   warns     the same, and domgrub prints a message
#   entry0    kernel, ramdisk and arguments of the menu's first entry, which must not be booted
#   another   another answer
#   no        no answer, but a message. pygrub hides exceptions while it reads a menu; --debug shows them.
#   crashes   no answer; pygrub ends with an exception of Python that it does not raise itself
# TABLE_SHOW=1 prints them, and the last lines of the messages.
set -euo pipefail
sources=$(realpath "$2")
here=$sources/bin/domgrub/test
page=$sources/doc/domgrub.md
programs=(domgrub 4.17 4.20)
declare -A program=([domgrub]=$(realpath "$1"))
. "$here/common.sh"
. "$here/table_disks.sh"

# fetch VERSION SUITE: pygrub of this Debian, if it can be had
fetch() {
  local dir=${DOMSTRAP_WORK:-$sources/build}/pygrub/$2
  if "$sources/scripts/get-pygrub.sh" "$dir" "$2" >fetched 2>&1; then
    program[$1]=$(realpath "$dir/pygrub")
  else
    echo "skipped: pygrub $1, whose column is not checked: $(tail -n 1 fetched)"
  fi
}

# try PROGRAM DISK: set result to one of the words above; the message is in the file said, the answer in answer
try() {
  local options=() rc=0
  if [ "$1" = domgrub ]; then options=(--config=none.conf); else options=(--debug); fi
  clean
  timeout 120 "${program[$1]}" "${options[@]}" -q --output-format=simple --output-directory="$work/out" \
    ${extra[$1]:+"${extra[$1]//DISK/$2}"} "$2.img" >answer.raw 2>said </dev/null || rc=$?
  plain <answer.raw >answer
  if [ $rc = 0 ] && [ -s answer ]; then
    result=another
    ! answered "$args" "$kernel" "$ramdisk" || result=boots
    ! answered wrong kernel0 initrd0 || result=entry0
    [ "$1 $result" != "domgrub boots" ] || [ ! -s said ] || result=warns
  else
    result=no
    # Its last line is that of the exception, if there is one.
    ! tail -n 1 said | grep -Eq '^[A-Za-z.]+(Error|Exception)(: |$)' || tail -n 1 said | grep -q '^RuntimeError: ' || result=crashes
  fi
}

# answered ARGS KERNEL RAMDISK: the answer has these
answered() {
  [ "$(sed -n 's/^args //p' answer)" = "$1" ] && cmp -s out/boot_kernel.* "$2" && cmp -s out/boot_ramdisk.* "$3"
}

# row TEXT DISK...: begin a row; what follows it until "end" are the checks of this row
row() {
  text=$1 kernel=kernel ramdisk=initrd args=right
  shift
  disks=("$@") also=()
  extra=() cell=()
}
declare -A extra cell results

# beside DISK: make this disk, too, for an option
beside() { also+=("$1"); }

# with PROGRAM OPTION: boot with it; DISK is the name of the disk
with() { each "$1" extra "$2"; }

# each PROGRAM ARRAY VALUE: "pygrub" is both of them
each() {
  local -n array=$2
  local version
  # shellcheck disable=SC2004,SC2034 # an associative array, set by its reference
  for version in ${1/pygrub/4.17 4.20}; do array[$version]=$3; done
}

# words PROGRAM RESULTS WORDS [MESSAGE...]: the cell, if the disks have these results. Each disk without an answer
# must have given the MESSAGE of its place, or the last one.
words() { each "$1" cell "$(printf '%s\n' "${@:2}")"; }

# not_tried PROGRAM WHY: the cell is written by hand
not_tried() {
  each "$1" cell by-hand
  echo "not checked: $text: $1: $2"
}

# measure PROGRAM: boot all disks of the row
measure() {
  local disk all=() i=0
  for disk in "${disks[@]}"; do
    try "$1" "$disk"
    all+=("$result")
    cp said "said.$1.$i"
    cp answer "answer.$1.$i"
    i=$((i + 1))
  done
  results[$1]=${all[*]}
}

# usual RESULT...: the words for results that the row has no words for
usual() {
  local r last='' out=''
  for r; do
    case $r in warns) r="boots, with a warning" ;; entry0) r="entry 0" ;; another) r="another answer" ;; esac
    [ "$r" = "$last" ] || out+="${out:+; }$r"
    last=$r
  done
  echo "$out"
}

# alike: domgrub's answers are those of each pygrub that boots
alike() {
  local version i word
  for version in 4.17 4.20; do
    i=0
    for word in ${results[$version]:-}; do
      [ "$word" != boots ] || cmp -s "answer.domgrub.$i" "answer.$version.$i" || return 1
      i=$((i + 1))
    done
  done
}

# told PROGRAM MESSAGE...: see words
told() {
  local version=$1 i=0 word message
  shift
  for word in ${results[$version]}; do
    case $word in
      no | crashes | warns)
        message=${1-}
        if ! grep -qF -- "$message" "said.$version.$i"; then
          echo "$text: $version: ${disks[$i]}: no \"$message\" in: $(tail -n 2 "said.$version.$i")"
          return 1
        fi
        ;;
    esac
    [ $# -lt 2 ] || shift
    i=$((i + 1))
  done
}

# show PROGRAM COLUMN: print the cell
show() {
  local want=()
  mapfile -t want <<<"${cell[$1]:-}"
  if [ -z "${program[$1]:-}" ] || [ "${want[0]}" = by-hand ]; then
    written "$2"
  elif [ "${want[0]}" = "${results[$1]}" ] && told "$1" "${want[@]:2}" >&2; then
    echo "${want[1]}"
  else
    # shellcheck disable=SC2086 # words
    usual ${results[$1]}
  fi
}

# written COLUMN: print the cell that the page has
written() { T=$text awk -F ' [|] ' -v n="$1" 'index($0, "| " ENVIRON["T"] " | ") == 1 { sub(/ [|]$/, "", $NF); print $n }' "$page"; }

# end: boot the disks of the row, and print it
end() {
  local disk version
  for disk in "${disks[@]}" "${also[@]}"; do
    [ -e "$disk.img" ] || { made=$disk.img && new && "disk_$disk"; }
  done
  results=()
  for version in "${programs[@]}"; do
    [ -z "${program[$version]:-}" ] || [ "$(head -n 1 <<<"${cell[$version]:-}")" = by-hand ] || measure "$version"
  done
  alike || fail "$text" "domgrub's answer differs from pygrub's"
  echo "| $text | $(show domgrub 2) | $(show 4.17 3) | $(show 4.20 4) |" >>table
  [ -z "${TABLE_SHOW:-}" ] || for version in "${!results[@]}"; do
    echo "$text: $version: ${results[$version]}"
    tail -n 1 said."$version".*
    rm said."$version".*
  done >&2
}

for tool in mke2fs debugfs mkfs.fat mcopy mkfs.xfs mkfs.btrfs genisoimage sfdisk python3; do
  command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done
fetch 4.17 bookworm
fetch 4.20 trixie
: >table
. "$here/table_rows.sh"
awk '/^\| the guest.s disk / { on = 1 } !NF { on = 0 } on && ++n > 2' "$page" >had
if [ -n "${TABLE_WRITE:-}" ]; then
  awk 'NR == FNR { new = new $0 "\n"; next } /^\| the guest.s disk / { on = 1 } !NF && on == 1 { on = 2 }
    on == 1 && ++n > 2 { printf "%s", new; new = ""; next } 1' table "$page" >new_page
  cat new_page >"$page"
else
  diff -u had table || fail "doc/domgrub.md" "its table is not what happens; TABLE_WRITE=1 corrects it"
fi
finish
