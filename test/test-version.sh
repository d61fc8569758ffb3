#!/bin/bash
# test-version.sh VERSION PROGRAM...: PROGRAMs, man pages, CHANGELOG.md and the Debian package have the version of
# meson.build.
. "$(dirname "$0")/lib.sh"
version=$1
shift
for program; do
  check "${program##*/} --version" same "$("$program" --version)" "${program##*/} $version"
done
cd "$repo"
for page in bin/*/*.[15]; do
  check "$page" same "$(sed -n 's/^\.Os //p' "$page")" "domstrap $version"
done
check CHANGELOG.md same "$(sed -n 's/^## \([^ ]*\) (.*/\1/p' CHANGELOG.md | head -n 1)" "$version"
check debian/changelog same "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" "$version"
finish
