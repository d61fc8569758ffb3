# SPDX-License-Identifier: MIT
"""md.py VERSION FS MEMBER [FIELD=VALUE...]: MEMBER becomes the second half of a RAID1 that has the file FS, with metadata
0.90, 1.0, 1.1 or 1.2. FIELDs: level, events, state (1.x: the role; 0.90: the descriptor's bits), features, sum (is added).
"""
import struct
import sys

MAGIC = 0xA92B4EFC
UUID = bytes(range(16))


def fold(data):
    words = struct.unpack(f"<{len(data) // 4}I", data)
    return (sum(words) & 0xFFFFFFFF) + (sum(words) >> 32) & 0xFFFFFFFF


def new(size, at, data_at, level=1, state=1, features=0, sum=0, events=0):
    p = bytearray(256 + 4)
    struct.pack_into("<4I16s32sQiiQII", p, 0, MAGIC, 1, features, 0, UUID, b"host:boot", 1, level, 0, size, 0, 2)
    struct.pack_into("<QQQ", p, 128, data_at, size, at)
    struct.pack_into("<I", p, 160, 1)
    struct.pack_into("<Q", p, 200, events)
    struct.pack_into("<II", p, 216, 0, 2)
    struct.pack_into("<HH", p, 256, 0, state)
    struct.pack_into("<I", p, 216, fold(p) + sum)
    return p


def old(size, level=1, state=6, features=0, sum=0, events=0):
    w = [0] * 1024
    w[0:12] = [MAGIC, 0, 90, 0, 0, 1, 1, level, size // 2, 2, 2, 0]
    w[13:16] = [2, 3, 4]
    w[34:36] = [2, 2]
    for i, at in enumerate((128, 160)):
        w[at : at + 5] = [i, 0, 0, i, 6]
    w[39] = events
    w[992:997] = [1, 0, 0, 1, state]
    w[38] = fold(struct.pack("<1024I", *w)) + sum
    return struct.pack("<1024I", *w)


def main(version, path, member, *fields):
    fields = {k: int(v, 0) for k, v in (f.split("=") for f in fields)}
    with open(path, "rb") as f:
        data = f.read()
    size = len(data) // 512
    data_at = 2048 if version in ("1.1", "1.2") else 0
    whole = data_at + size + 256
    at = {"0.90": whole * 512 // 65536 * 128 - 128, "1.0": (whole - 16) // 8 * 8, "1.1": 0, "1.2": 8}[version]
    head = old(size, **fields) if version == "0.90" else new(size, at, data_at, **fields)
    with open(member, "wb") as f:
        f.truncate(whole * 512)
        f.seek(data_at * 512)
        f.write(data)
        f.seek(at * 512)
        f.write(head)


main(*sys.argv[1:])
