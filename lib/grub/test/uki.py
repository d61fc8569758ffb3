# SPDX-License-Identifier: MIT
"""uki.py IMAGE [OPTION=NUMBER...] SECTION=FILE...: a unified kernel image: an EFI program without code, with these sections.

A SECTION may come several times. OPTIONs: machine, pe (offset of its header), sections (their number, as it says), short (bytes
that are missing at the end), raw (is added to each section's size in the file, not to that in memory).
"""
import struct
import sys

ALIGN = 512


def main(image, *args):
    options = {"machine": 0x8664, "pe": 128, "sections": None, "short": 0, "raw": 0}
    sections = []
    for arg in args:
        key, value = arg.split("=", 1)
        if key in options:
            options[key] = int(value, 0)
        else:
            with open(value, "rb") as f:
                sections.append((key, f.read()))
    count = len(sections) if options["sections"] is None else options["sections"]
    optional = struct.pack("<H", 0x20B).ljust(112, b"\0")
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", options["pe"])
    head = head.ljust(options["pe"], b"\0") if options["pe"] < 4096 else head
    head += b"PE\0\0" + struct.pack("<HHIIIHH", options["machine"], count, 0, 0, 0, len(optional), 0x22E) + optional
    at = (len(head) + 40 * len(sections) + ALIGN - 1) // ALIGN * ALIGN
    body = b""
    for name, data in sections:
        padded = len(data) + -len(data) % ALIGN
        head += name.encode().ljust(8, b"\0")
        head += struct.pack("<IIIIIIHHI", len(data), 0x10000 + at, padded + options["raw"], at + len(body), 0, 0, 0, 0, 0x40000040)
        body += data.ljust(padded, b"\0")
    data = head.ljust(at, b"\0") + body
    with open(image, "wb") as f:
        f.write(data[: len(data) - options["short"]])


main(*sys.argv[1:])
