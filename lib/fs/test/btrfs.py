# SPDX-License-Identifier: MIT
"""Changes btrfs images for tests; crc32c alone.

    btrfs.py set IMAGE AT SIZE VALUE     a number of the superblock, whose checksum is made right again
    btrfs.py spoil IMAGE                 every node that has another copy: the first copy
"""
import struct
import sys

SUPER = 65536


def table_make():
    for c in range(256):
        for _ in range(8):
            c = c >> 1 ^ (0x82F63B78 if c & 1 else 0)
        yield c


TABLE = list(table_make())


def crc32c(data):
    crc = 0xFFFFFFFF
    for c in data:
        crc = TABLE[(crc ^ c) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def number_set(path, at, size, value):
    with open(path, "r+b") as f:
        f.seek(SUPER)
        block = bytearray(f.read(4096))
        block[at : at + size] = value.to_bytes(size, "little")
        block[:4] = struct.pack("<I", crc32c(block[32:]))
        f.seek(SUPER)
        f.write(block)


def spoil(path):
    with open(path, "r+b") as f:
        f.seek(SUPER)
        head = f.read(4096)
        uuid = head[32:48]
        f.seek(0)
        data = f.read()
        seen = {}
        for at in range(SUPER + 4096, len(data), 4096):
            if data[at + 32 : at + 48] == uuid and data[at : at + 4096] != head:
                seen.setdefault(data[at : at + 4096], []).append(at)
        twice = [v[0] for v in seen.values() if len(v) > 1]
        for at in twice:
            f.seek(at + 200)
            f.write(b"spoilt")
    print(len(twice))


def main(what, path, *rest):
    if what == "set":
        number_set(path, *(int(v, 0) for v in rest))
    else:
        spoil(path)


main(*sys.argv[1:])
