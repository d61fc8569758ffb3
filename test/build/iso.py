#!/usr/bin/env python3
# iso.py FILE [PLATFORM]: make the smallest bootable CD image: a volume and a boot catalog. PLATFORM 0 is PC BIOS.
import struct
import sys

SECTOR, SECTORS, CATALOG = 2048, 40, 20
cd = bytearray(SECTOR * SECTORS)


def put(sector, offset, data):
    cd[sector * SECTOR + offset:sector * SECTOR + offset + len(data)] = data


for sector, kind in (16, 1), (17, 0), (18, 255):
    put(sector, 0, bytes([kind]) + b"CD001\x01")
put(16, 40, b"nixos-minimal".ljust(32))
put(16, 80, struct.pack("<I", SECTORS) + struct.pack(">I", SECTORS))
put(16, 128, struct.pack("<H", SECTOR))
put(17, 7, b"EL TORITO SPECIFICATION")
put(17, 71, struct.pack("<I", CATALOG))
validation = bytearray(32)
validation[0], validation[1], validation[30:] = 1, int(sys.argv[2]) if len(sys.argv) > 2 else 0, b"\x55\xaa"
struct.pack_into("<H", validation, 28, -sum(struct.unpack("<16H", validation)) & 0xffff)
put(CATALOG, 0, validation + b"\x88\x00\x00\x00\x00\x00\x04\x00" + struct.pack("<I", 21))
open(sys.argv[1], "wb").write(cd)
