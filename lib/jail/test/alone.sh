#!/bin/sh
# alone.sh PROGRAM: run it as the root of a user namespace that has no other user.
unshare -r true 2>/dev/null || exit 77
exec unshare -r "$1"
