# SPDX-License-Identifier: MIT
"""sparse.py IMAGE OUT BLOCK [NUMBER...]: { number, block } of all blocks of IMAGE with anything in them, but for these, as
fuzz/sparse.h has them. BLOCK is their size in bytes.
"""
import struct
import sys


def main(path, out, size, *leave):
    leave = {int(n) for n in leave}
    with open(path, "rb") as f, open(out, "wb") as to:
        number = 0
        while block := f.read(int(size)):
            if any(block) and number not in leave:
                to.write(struct.pack("<I", number) + block)
            number += 1


main(*sys.argv[1:])
