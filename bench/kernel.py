#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kernel.py PACKING: write a bzImage of about 12 MB to standard output, with an
ELF file of 48 MB inside (PACKING none: 12 MB) whose Xen notes are in its middle,
as in Linux."""
import lzma
import os
import struct
import subprocess
import sys
import zlib

packing = sys.argv[1]
size = 12 << 20 if packing == "none" else 48 << 20


def note(kind, data):
    return struct.pack("<III", 4, len(data), kind) + b"Xen\0" + data + b"\0" * (-len(data) % 4)


def body():
    """Text that compresses to a quarter, with near and far repetitions."""
    # Few enough words that repetitions are within the compressor's window.
    words = [os.urandom(24) for _ in range(600 if packing in ("gzip", "lz4") else 40000)]
    out = bytearray()
    state = 1
    while len(out) < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        out += words[(state >> 40) % len(words)] if state >> 62 else os.urandom(4) + bytes(4)
    return out[:size]


elf = body() if packing != "none" else bytearray(os.urandom(size))
notes = note(6, b"linux\0") + note(5, b"xen-3.0\0") + note(8, b"generic\0") + note(18, struct.pack("<Q", 1 << 24))
at = size // 2
elf[at : at + len(notes)] = notes
elf[0:64] = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
elf[64:120] = struct.pack("<IIQQQQQQ", 4, 4, at, 0, 0, len(notes), len(notes), 4)
elf = bytes(elf)


def run(*command):
    return subprocess.run(command, input=elf, stdout=subprocess.PIPE, check=True).stdout


payload = {
    "none": lambda: elf,
    "gzip": lambda: zlib.compress(elf, 9, 31),
    "xz": lambda: lzma.compress(elf, check=lzma.CHECK_CRC32, preset=3),
    "lz4": lambda: run("lz4", "-l", "-9", "-c"),
    "zstd": lambda: run("zstd", "-12", "--long=27", "-c"),
}[packing]()
if packing != "none":
    payload += struct.pack("<I", size)
head = bytearray(1024)
head[0x1F1] = 1
head[0x202:0x206] = b"HdrS"
struct.pack_into("<H", head, 0x206, 0x20F)
struct.pack_into("<II", head, 0x248, 0, len(payload))
sys.stdout.buffer.write(bytes(head) + payload)
