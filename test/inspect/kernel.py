#!/usr/bin/env python3
"""kernel.py RELEASE PV PVH OUT: a bzImage whose Xen notes say whether it supports PV and PVH (0 or 1); it does nothing."""
import gzip
import struct
import sys


def note(kind, data):
    return struct.pack("<III", 4, len(data), kind) + b"Xen\0" + data + bytes(-len(data) % 4)


release, pv, pvh, out = sys.argv[1], sys.argv[2] == "1", sys.argv[3] == "1", sys.argv[4]
notes = note(6, b"linux\0") + note(5, b"xen-3.0\0") if pv else b""
notes += note(8, b"generic\0") if pv else b""
notes += note(18, struct.pack("<I", 0x1000000)) if pvh else b""
elf = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x1000000, 64, 0, 0, 64, 56, 1, 0, 0, 0)
elf += struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, len(notes), len(notes), 4) + notes
payload = gzip.compress(elf, mtime=0)
setup = bytearray(1024)
setup[0x1F1] = 1
setup[0x1FE:0x200] = b"\x55\xaa"
setup[0x202:0x206] = b"HdrS"
struct.pack_into("<H", setup, 0x206, 0x20F)
struct.pack_into("<H", setup, 0x20E, 0x300 - 0x200)
struct.pack_into("<II", setup, 0x248, 0, len(payload))
text = release.encode() + b" (builder@host) #1 SMP\0"
setup[0x300 : 0x300 + len(text)] = text
with open(out, "wb") as f:
    f.write(setup + payload)
