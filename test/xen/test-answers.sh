#!/bin/bash
# test-answers.sh DOMGRUB: where a pygrub boots a disk, domgrub gives the same answer, also as a restricted helper: compared
# with the pygrub of each Debian suite that the rig knows, on this host, without a Xen. Needs no root, but for the latter.
. "$(dirname "$0")/../lib.sh"
[ $# = 1 ] || usage DOMGRUB
for suite in bookworm trixie; do
  "$repo/scripts/get-pygrub.sh" "$work/pygrub/$suite" "$suite"
  check "the answers of $suite's pygrub" "$repo/bin/domgrub/test/answers.sh" "$1" "$work/pygrub/$suite/pygrub"
done
finish
