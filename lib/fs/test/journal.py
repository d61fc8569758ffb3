#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""journal.py IMAGE BLOCKS CHANGE...: change the journal of an ext3 or ext4 in ways that no tool offers, for replay.sh.

BLOCKS: a file with the numbers of the journal's blocks. Changes: turn N (the log begins N blocks later, and wraps around
at the end), flip BLOCK BYTE (of the journal), fast (a fast commit after the log), old (checksums of the oldest kind).
"""
import struct
import sys


def table(poly, top):
    out = []
    for i in range(256):
        c = i << 24 if top else i
        for _ in range(8):
            if top:
                c = ((c << 1) ^ poly if c & 1 << 31 else c << 1) & 0xFFFFFFFF
            else:
                c = (c >> 1) ^ poly if c & 1 else c >> 1
        out.append(c)
    return out


CASTAGNOLI, ETHERNET = table(0x82F63B78, False), table(0x04C11DB7, True)


def crc32c(data, c=0xFFFFFFFF):
    for b in data:
        c = c >> 8 ^ CASTAGNOLI[(c ^ b) & 255]
    return c


def crc32_be(data, c):
    for b in data:
        c = (c << 8 ^ ETHERNET[(c >> 24 ^ b) & 255]) & 0xFFFFFFFF
    return c


class Journal:
    def __init__(self, image, numbers):
        self.file = open(image, "r+b")
        self.numbers = numbers
        self.file.seek(1024 + 24)
        self.size = 1024 << struct.unpack("<I", self.file.read(4))[0]
        self.head = bytearray(self.read(0))
        self.first, self.sequence, self.start = struct.unpack(">III", self.head[20:32])

    def read(self, n):
        self.file.seek(self.numbers[n] * self.size)
        return self.file.read(self.size)

    def write(self, n, data):
        self.file.seek(self.numbers[n] * self.size)
        self.file.write(data)

    def put_head(self):
        self.head[252:256] = bytes(4)
        if struct.unpack(">I", self.head[40:44])[0] & 0x18:
            self.head[252:256] = struct.pack(">I", crc32c(self.head[:1024]))
        self.write(0, self.head)

    def turn(self, n):
        log = [self.read(i) for i in range(self.first, len(self.numbers))]
        for i, block in enumerate(log):
            self.write(self.first + (i + n) % len(log), block)
        self.start = self.first + (self.start - self.first + n) % len(log)
        self.head[28:32] = struct.pack(">I", self.start)
        self.put_head()

    def fast(self):
        sequence, fast = self.sequence, 16
        for i in range(self.start, len(self.numbers)):
            block = self.read(i)
            if block[:8] == struct.pack(">II", 0xC03B3998, 2):
                sequence = struct.unpack(">I", block[8:12])[0] + 1
        self.head[40:44] = struct.pack(">I", struct.unpack(">I", self.head[40:44])[0] | 0x20)
        self.head[84:88] = struct.pack(">I", fast)
        self.put_head()
        head = struct.pack("<HHII", 9, 8, 0, sequence)
        self.write(len(self.numbers) - fast, head + bytes(self.size - len(head)))

    def old(self):
        """A checksum in each commit over everything before it in its transaction."""
        self.head[36:40] = struct.pack(">I", 1)
        self.put_head()
        at, left, total = self.start, 0, 0xFFFFFFFF
        while at < len(self.numbers):
            block = bytearray(self.read(at))
            magic, kind = struct.unpack(">II", block[:8])
            if left:
                left -= 1
                total = crc32_be(block, total)
            elif magic != 0xC03B3998:
                break
            elif kind == 1:
                total = crc32_be(block, total)
                tag = 12
                while True:
                    left += 1
                    flags = struct.unpack(">H", block[tag + 6 : tag + 8])[0]
                    tag += (12 if self.head[43] & 2 else 8) + (0 if flags & 2 else 16)
                    if flags & 8:
                        break
            elif kind == 2:
                block[12:14] = bytes([1, 4])
                block[16:20] = struct.pack(">I", total)
                self.write(at, block)
                total = 0xFFFFFFFF
            at += 1

    def flip(self, n, byte):
        block = bytearray(self.read(n))
        block[byte] ^= 1
        self.write(n, block)


def main(image, blocks, *words):
    with open(blocks, encoding="ascii") as f:
        journal = Journal(image, [int(n) for n in f.read().split()])
    words = list(words)
    while words:
        word = words.pop(0)
        count = {"turn": 1, "flip": 2}.get(word, 0)
        getattr(journal, word)(*[int(words.pop(0)) for _ in range(count)])
    journal.file.close()


main(*sys.argv[1:])
