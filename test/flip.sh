# flip.sh: sourced by tests in sh or bash
# shellcheck shell=sh

# flip FILE OFFSET: invert the bits of one byte, so that it always changes. An OFFSET below 0 counts from the end.
flip() {
  flip_at=$2
  [ "$flip_at" -ge 0 ] || flip_at=$(($(stat -c %s "$1") + flip_at))
  flip_was=$(od -An -tu1 -j "$flip_at" -N 1 "$1")
  [ -n "$flip_was" ] || { echo "flip: $1 has no byte $flip_at" >&2; return 1; }
  # shellcheck disable=SC2059 # the escape is made here
  printf "\\$(printf %03o $((flip_was ^ 255)))" | dd of="$1" bs=1 seek="$flip_at" conv=notrunc status=none
}
