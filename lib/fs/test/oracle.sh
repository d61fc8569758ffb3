# oracle.sh: common parts of the tests that compare drivers with real tools. Needs $tree, the path of fs_tree, and $here.
# Changes to a new directory. There, img is the image under test, want the expected listing (trees.py), mnt a mount point.
# After a failure failed is 1. unmount() runs at the end; a test may replace it.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # for and from those who source it
# shellcheck source=../../../test/flip.sh
. "$here/../../../test/flip.sh"
work=$(mktemp -d)
mounted=
unmount() {
  [ -z "$mounted" ] || umount "$work/mnt" || true
  mounted=
}
# shellcheck disable=SC2317 # a trap calls it
at_end() {
  unmount
  rm -rf "$work"
}
trap at_end EXIT
cd "$work"
mkdir mnt
failed=0
uuid=01234567-89ab-cdef-0123-456789abcdef

# fail NAME WORDS
fail() { echo "FAILED $1: $2"; failed=1; }

# same NAME [IMAGE]: the driver's listing of the image equals the file want
same() {
  "$tree" "${2:-img}" >got 2>&1 || true
  if diff <(LC_ALL=C sort want) <(LC_ALL=C sort got) >differ; then
    echo "ok $1"
  else
    echo "FAILED $1"
    sed -n 1,6p differ | cut -c 1-160
    failed=1
  fi
}

# wanted LINE [DIR]: write want: LINE, then the listing of DIR (default: src)
wanted() {
  { echo "$1"; python3 -I -S "$here/trees.py" list "${2:-src}"; } >want
}

# grub NAME PATH...: GRUB reads these files of img with the same result
grub() {
  local name=$1 path
  command -v grub-fstest >/dev/null || return 0
  for path in "${@:2}"; do
    [ "$(grub-fstest img cat "(loop0)/$path" 2>/dev/null | gzip -1 -c | tail -c 8 | od -An -tx4 -N4 | tr -d ' \n')" = \
      "$(awk -v p="/$path" '$1 == "f" && $2 == p { print $4 }' want)" ] || fail "$name" "GRUB reads $path in another way"
  done
}

# refused NAME WORDS [PATH]: the driver refuses img, or a path in it, with WORDS in its message
refused() {
  "$tree" img ${3:+"$3"} >got 2>&1 && { fail "$1" accepted; return; }
  grep -q "$2" got && echo "ok $1" || fail "$1" "$(tail -n 1 got)"
}

# says NAME LINE [IMAGE]: the first line of the driver's listing is LINE
says() {
  "$tree" "${3:-img}" >got 2>&1 || true
  [ "$(head -n 1 got)" = "$2" ] && echo "ok $1" || fail "$1" "$(head -n 1 got)"
}

# pick WORD...: print one of them, at random
pick() { local v=("$@"); echo "${v[RANDOM % $#]}"; }
