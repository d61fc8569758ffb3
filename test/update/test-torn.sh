#!/bin/bash
# The host stops during update, gc, rollback, growth and create, on one disk and on two, and only some of the writes since
# the last sync are on the disk: see torn.py for what must be true, and how to test more states.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # lib.sh sets here
. "$(dirname "$0")/lib.sh"
make_guests
exec python3 -B "$here/torn.py"
