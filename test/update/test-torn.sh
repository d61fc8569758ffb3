#!/bin/bash
# The host stops in the middle of update, gc, rollback, growth and create, on one disk and on two, and what was written
# since the last sync is there in part: torn.py says what must then be true, and how to try more states.
# shellcheck source-path=SCRIPTDIR
# shellcheck disable=SC2154 # lib.sh sets here
. "$(dirname "$0")/lib.sh"
make_guests
exec python3 -B "$here/torn.py"
