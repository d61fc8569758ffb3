#!/bin/bash
# test-answers.sh DOMGRUB: if pygrub can boot a disk, domgrub gives the same answer, also as a restricted helper. Compared
# with pygrub of each Debian suite that the rig supports, on this host, without Xen. Only the restricted helper needs root.
. "$(dirname "$0")/../lib.sh"
[ $# = 1 ] || usage DOMGRUB
for suite in bookworm trixie; do
  "$repo/scripts/get-pygrub.sh" "$work/pygrub/$suite" "$suite"
  check "the answers of $suite's pygrub" "$repo/bin/domgrub/test/answers.sh" "$1" "$work/pygrub/$suite/pygrub"
done
finish
