#!/bin/bash
# A guest takes over the process that reads its disk, at one of the first 500 reads, and cannot reach the host: every system
# call that its jail forbids ends it, and the command reports that. It can write only to its own disk, where the next command
# completes or undoes the change. After the first 50 reads only every STEPth is tried; STEP=1 tries all
# (default: 29, with TEST_SHORT 113, and fewer at first).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${TAKEOVER:?}" "${STEP:=${TEST_SHORT:+113}}" "${STEP:=29}"
"$DOMSTRAP" create g --system "$(system 1)" -q --vif none --size 64M
"$DOMSTRAP" update g.cfg --system "$(system 2)" -q
cp --sparse=always g.img first.img
size=$(stat -c %s g.img)
rm -f /tmp/taken-over
first=$([ -z "${TEST_SHORT:-}" ] && echo 1 || echo 7)

# taken DEED AT COMMAND...: 0 if the process was stopped, 1 if the command ended before
taken() {
  local deed=$1 number=$2 status=0
  shift 2
  DEED=$deed AT=$number SIZE=$size LD_PRELOAD=$TAKEOVER "$DOMSTRAP" "$@" >said 2>&1 || status=$?
  ! grep -q 'taken over' said || fail "$deed at read $number of $1: it writes to the terminal"
  [ ! -e /tmp/taken-over ] || fail "$deed at read $number of $1: it makes a file"
  [ "$status" != 0 ] || return 1
  [ "$status" = 1 ] || { cat said >&2; fail "$deed at read $number of $1: status $status"; }
  grep -q 'it made a system call that the jail forbids' said ||
    { cat said >&2; fail "$deed at read $number of $1: not killed by the jail"; }
}

commands=("inspect g.cfg" "verify g.cfg --no-fsck" "generations g.cfg" "update g.cfg -q --system $(system 3)" "rollback g.cfg -q" "gc g.cfg --keep 1 -q")
for command in "${commands[@]}"; do
  for deed in create connect exec fork ptrace kill write; do
    # shellcheck disable=SC2086 # words
    taken $deed 60 $command || fail "$command reads its disk less than 61 times"
    cp --sparse=always first.img g.img
  done
  for ((at = 0; at < 500; at += at < 50 ? first : STEP)); do
    # shellcheck disable=SC2086
    taken open $at $command || break
    case $command in inspect* | verify* | generations*) same_image first.img g.img || fail "$command, read $at: the disk was changed" ;; esac
    if ! same_image first.img g.img 2>/dev/null; then
      "$DOMSTRAP" generations g.cfg >said 2>&1 || { cat said >&2; fail "$command, stopped at read $at: generations fails"; }
      clean g.img "$command, stopped at read $at"
      cp --sparse=always first.img g.img
    fi
  done
  [ "$at" -gt 60 ] || fail "$command: only $at reads"
  echo "$command: $at reads"
done
echo "test-takeover.sh: ok"
