#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""same.py A B: like cmp, for two files with large holes: reads only ranges that one of them has stored."""
import os
import sys

CHUNK = 1 << 20


def stored(fd, at, end):
    """Begin and end of the next stored range at or after offset at; (end, end) if there is none."""
    try:
        begin = os.lseek(fd, at, os.SEEK_DATA)
    except OSError:  # ENXIO: a hole up to the end
        return end, end
    return begin, os.lseek(fd, begin, os.SEEK_HOLE)


def differs(one, other, end):
    """The first byte that differs, or None."""
    at = 0
    ranges = [(0, 0), (0, 0)]
    while True:
        ranges = [r if r[1] > at else stored(fd, at, end) for r, fd in zip(ranges, (one, other))]
        at = max(at, min(r[0] for r in ranges))
        if at >= end:
            return None
        until = min([r[1] for r in ranges if r[0] <= at] + [r[0] for r in ranges if r[0] > at] + [at + CHUNK, end])
        a, b = os.pread(one, until - at, at), os.pread(other, until - at, at)
        if a != b:
            return at + next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        at = until


names = sys.argv[1:]
files = [os.open(name, os.O_RDONLY) for name in names]
sizes = [os.lseek(fd, 0, os.SEEK_END) for fd in files]
first = differs(*files, min(sizes))
if first is not None:
    sys.exit(f"{names[0]} {names[1]} differ: byte {first}")
if sizes[0] != sizes[1]:
    sys.exit(f"{names[0]} has {sizes[0]} bytes, {names[1]} {sizes[1]}")
