#!/bin/bash
# What changes or reads a guest, and create, on one disk and on two, with every read, allocation, write and sync failing
# in turn: faults.py says what must then be true, and how to try every place.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
make_guests
exec python3 -B "$here/faults.py"
