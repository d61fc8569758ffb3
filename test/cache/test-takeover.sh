#!/bin/bash
# A server takes over the process that reads its answers, at one of the first 500 reads, and cannot reach the host: what is
# not allowed is refused or ends the process; then the command reports an error and leaves nothing behind. The parent
# refuses invalid messages. After the first 8 reads only every STEPth is tried; STEP=1 tries all (default: 41, with TEST_SHORT
# 163).
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
: "${TAKEOVER:?}" "${STEP:=${TEST_SHORT:+163}}" "${STEP:=41}"
system=$(large)
fill "$work/c" "compression=zstd&secret-key=$work/secret" "$system"
mkdir "$out/local"
create g1 --system "$system" -o "$out/local" -q --no-sigs
nginx_serve "$work/c"
printf 'machine 127.0.0.1 login user password secret\n' >"$HOME/.netrc"
rm -f /tmp/taken-over

# taken DEED AT: 0 if the process was ended, 1 if the command continued and made the correct image
taken() {
  local status=0
  DEED=$1 AT=$2 LD_PRELOAD=$TAKEOVER "$DOMSTRAP" create g1 --conf "$work/conf" --cache-dir none --system "$system" -o "$out" \
    --no-sigs -q --trusted-key "$key" --from "$url" </dev/null >"$work/said" 2>&1 || status=$?
  [ ! -e /tmp/taken-over ] || fail "$1 at read $2: it makes a file"
  ! grep -q 'taken over\|status 42' "$work/said" || { cat "$work/said" >&2; fail "$1 at read $2 works"; }
  if [ "$status" = 0 ]; then
    same_image "$out/g1.img" "$out/local/g1.img" || fail "$1 at read $2: another image"
    rm "$out"/g1.*
    return 1
  fi
  # A NAR that is too short is bad data as from a cache.
  [ "$status" = 1 ] || [ "$1$status" = lie-unpacked-end4 ] || { cat "$work/said" >&2; fail "$1 at read $2: status $status"; }
  [ "$(grep -c . "$work/said")" = 1 ] || { cat "$work/said" >&2; fail "$1 at read $2: not one line"; }
  [ "$(ls "$out")" = local ] || fail "$1 at read $2 leaves $(ls "$out")"
}
who=network
said() { grep -q "the \($who process\|process $who\): .*$1" "$work/said" || { cat "$work/said" >&2; fail "not said: $1"; }; }

for deed in exec fork ptrace kill; do
  taken $deed 5 || fail "$deed at read 5 did not end it"
  said 'it made a system call that the jail forbids'
done
for deed in create change listen; do ! taken $deed 5 || { cat "$work/said"; fail "$deed at read 5 ended it"; }; done
while read -r deed words; do
  taken "$deed" 5 || fail "$deed was believed"
  said "$words"
  echo "$deed: $(cat "$work/said")"
done <<WORDS
lie-type message 77 is not allowed
lie-size larger than the limit
lie-number unexpected data
lie-place malformed message
lie-gone unexpected removal
lie-closed ended early
WORDS
for ((at = 0; at < 500; at += at < 8 ? 1 : STEP)); do
  ! taken open $at || fail "open at read $at ended it: $(cat "$work/said")"
  taken exec $at || break
  said 'it made a system call that the jail forbids'
done
[ "$at" -gt 40 ] || fail "only $at reads"
echo "create: $at reads"

# The process that decompresses: it has no files at all, and the parent checks the hash of what comes from it.
who=unpacking
export LINES_OF_JAIL=1-13
# The first 12 reads wait on lines that may never be used. Then two for each request: nix-cache-info, the narinfos, NARs.
# A lie is also unexpected if the thread that tells it has just ended a NAR.
step=$((14 + 2 * $(nix-store -qR "$system" | wc -l)))
for deed in open create connect exec fork ptrace kill write change listen; do
  taken $deed 14 || fail "$deed at read 14 of the unpacker did not end it"
  said 'it made a system call that the jail forbids'
done
while read -r deed words; do
  taken "$deed" $step || fail "$deed was believed"
  grep -q "$words" "$work/said" || { cat "$work/said" >&2; fail "$deed: not said: $words"; }
  echo "$deed: $(cat "$work/said")"
done <<WORDS
lie-unpacked-type message 77 is not allowed
lie-unpacked-size an invalid answer\\|an unexpected answer
lie-unpacked-end its NAR has\\|an unexpected answer
lie-unpacked-error an invalid error message\\|an unexpected answer
lie-unpacked-closed ended early
WORDS
for ((at = 0; at < 500; at += at < 8 ? 1 : STEP)); do
  taken open $at || break
  said 'it made a system call that the jail forbids'
done
[ "$at" -gt 20 ] || fail "only $at reads of the unpacker"
echo "unpacker: $at reads"

# The process that writes the image: it has the image, and unnamed files. The unpacker has 13 pairs of sockets before it, the
# network process one more.
who='that writes the image'
export LINES_OF_JAIL=15
for deed in open create connect exec fork ptrace kill write listen; do
  taken $deed 14 || fail "$deed at read 14 of the writer did not end it"
  said 'it made a system call that the jail forbids'
done
while read -r deed words; do
  taken "$deed" 14 || fail "$deed was believed"
  grep -q "$words" "$work/said" || { cat "$work/said" >&2; fail "$deed: not said: $words"; }
  echo "$deed: $(cat "$work/said")"
done <<WORDS
lie-written-type message 77 is not allowed
lie-written-size an invalid answer
lie-closed ended early
WORDS
for ((at = 0; at < 500; at += at < 8 ? 1 : STEP)); do
  taken open $at || break
  said 'it made a system call that the jail forbids'
done
[ "$at" -gt 20 ] || fail "only $at reads of the writer"
echo "writer: $at reads"
echo "test-takeover.sh: ok"
