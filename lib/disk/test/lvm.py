# SPDX-License-Identifier: MIT
"""Physical volumes of LVM2, and what is in their logical volumes, without device mapper.

lvm.py label TEXT PV IMG [OPTION=NUMBER...]   IMG becomes the physical volume PV ("pv0") of the group that TEXT describes
lvm.py put TEXT LV FILE PV=IMG...             FILE's bytes go to where the volume LV has them

TEXT is in the form of vgcfgbackup(8). OPTIONs: place (of the text in its ring, bytes), area (bytes of the metadata area), sum,
head, label (added to a checksum), flags, magic (1: another one), version, none (1: the area has no text), areas (of metadata:
0, 1; 2: another one, with an older text, before the end).
"""
import re
import struct
import sys
import zlib

SECTOR = 512


def crc(data):
    return ~zlib.crc32(data, ~0xF597A6CF & 0xFFFFFFFF) & 0xFFFFFFFF


def parse(text):
    tokens = re.findall(r'"[^"]*"|[\w.+@:/-]+|[{}\[\]=,]', re.sub(r"#.*", "", text))

    def scalar(t):
        return t.strip('"') if t.startswith('"') else int(t)

    def section(i):
        out = {}
        while i < len(tokens) and tokens[i] != "}":
            key, i = tokens[i], i + 1
            if tokens[i] == "{":
                out[key], i = section(i + 1)
            elif tokens[i + 1] == "[":
                end = tokens.index("]", i)
                out[key] = [scalar(t) for t in tokens[i + 2 : end] if t != ","]
                i = end
            else:
                i += 1
                out[key] = scalar(tokens[i])
            i += 1
        return out, i

    return section(0)[0]


def group(text):
    return next(v for v in parse(text).values() if isinstance(v, dict))


def area(f, at, size, text, **o):
    """Write a metadata area with the text."""
    text = text.encode() + b"\0"
    place = o.get("place", 512)
    magic = b" LVM2 x[5A%r0N*>" if not o.get("magic") else b" LVM2 x[5A%r0N*<"
    head = magic + struct.pack("<IQQ", o.get("version", 1), at, size)
    if not o.get("none"):
        head += struct.pack("<QQII", place, len(text), crc(text) + o.get("sum", 0), o.get("flags", 0))
    head = head.ljust(508, b"\0")
    first = text[: size - place]
    f.seek(at + place)
    f.write(first)
    f.seek(at + 512)
    if len(first) < len(text):
        f.write(text[len(first) :])
    f.seek(at)
    f.write(struct.pack("<I", (crc(head) + o.get("head", 0)) & 0xFFFFFFFF) + head)


def label(path, name, img, *options):
    with open(path) as f:
        text = f.read()
    o = {k: int(v, 0) for k, v in (x.split("=") for x in options)}
    pv = group(text)["physical_volumes"][name]
    start, size = pv["pe_start"] * SECTOR, pv["dev_size"] * SECTOR
    areas, length = o.pop("areas", 1), o.pop("area", start - 4096)
    places = [(4096, length), (size - (1 << 20), 1 << 20)][:areas]
    body = pv["id"].replace("-", "").encode() + struct.pack("<QQQQQ", size, start, 0, 0, 0)
    body += b"".join(struct.pack("<QQ", *p) for p in places) + bytes(16) + struct.pack("<IIQQ", 2, 1, 0, 0)
    tail = (struct.pack("<I", 32) + b"LVM2 001" + body).ljust(512 - 20, b"\0")
    sector = b"LABELONE" + struct.pack("<QI", 1, (crc(tail) + o.get("label", 0)) & 0xFFFFFFFF) + tail
    with open(img, "r+b") as f:
        f.truncate(size)
        f.seek(SECTOR)
        f.write(sector)
        for i, p in enumerate(places):
            area(f, *p, re.sub(r"seqno = \d+", "seqno = 1", text) if i else text, **({} if i else o))


def put(path, name, file, *images):
    with open(path) as f:
        vg = group(f.read())
    images = dict(x.split("=") for x in images)
    extent = vg["extent_size"] * SECTOR
    with open(file, "rb") as f:
        data = f.read()
    lv = vg["logical_volumes"][name]
    for i in range(lv["segment_count"]):
        s = lv[f"segment{i + 1}"]
        n = s["stripe_count"]
        stripe = s["stripe_size"] * SECTOR if n > 1 else s["extent_count"] * extent
        part = data[s["start_extent"] * extent :][: s["extent_count"] * extent]
        for k in range(n):
            pv, at = s["stripes"][2 * k : 2 * k + 2]
            mine = b"".join(part[j : j + stripe] for j in range(k * stripe, len(part), n * stripe))
            with open(images[pv], "r+b") as f:
                f.seek(vg["physical_volumes"][pv]["pe_start"] * SECTOR + at * extent)
                f.write(mine)


{"label": label, "put": put}[sys.argv[1]](*sys.argv[2:])
