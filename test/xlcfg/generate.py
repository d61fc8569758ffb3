#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""generate.py SEED COUNT DIR: write COUNT random xl configs, most of them valid, others with every kind of error."""

import random
import sys

KEYS = ["name", "type", "builder", "memory", "vcpus", "extra", "root", "cmdline", "vif", "kernel", "ramdisk", "a", "b.c",
        "d_1", "on_crash", "uuid", "bootloader_args"]
WORDS = ["web", "", "a b", "console=hvc0 quiet", "/srv/xen/web.img", "00:16:3e:00:00:01", "%s", "ü", "1G", "x=y,z", "#no"]
PLAIN = {'"': '\\"', "'": "\\'", "\\": "\\\\"}
ESCAPES = ["\\n", "\\t", "\\a", "\\b", "\\f", "\\r", "\\v", '\\"', "\\'", "\\\\", "\\012", "\\0", "\\77", "\\x41", "\\8", "\\q", "\\1234"]
PATHS = ["/srv/xen/web.img", "/dev/vg0/web", "web.img", "/a b", "/x:y", "", "rbd:pool/web", "/x=y", "C:web", "1", "cdrom", "/x "]
PREFIXES = ["file:", "phy:", "tap:", "tap2:", "aio:", "tapdisk:", "ioemu:", "raw:", "qcow:", "qcow2:", "vhd:", "vdi:", "drbd:",
            "nbd:", "enbd:", "iscsi:", "rbd:", "foo:", "Foo:", "tap3:", "npiv:"]
FORMATS = ["", "raw", "qcow", "qcow2", "vhd", "qed", "empty", "vmdk", "raw ", " raw", "xvda", "w"]
VDEVS = ["xvda", "xvdb1", "hda", "sdc", "hdc:cdrom", "xvda:disk", "hda:floppy", "", "xvda ", " xvda", "51712", "d0p1"]
ACCESS = ["", "r", "ro", "w", "rw", "w!", "x", " w", "w "]
FLAGS = ["discard", "no-discard", "direct-io-safe", "cdrom", "devtype=cdrom", "devtype=disk", "devtype=floppy", "colo", "no-colo",
         "colo-host=h", "colo-port=7", "colo-port=x", "colo-export=e", "active-disk=a", "hidden-disk=h", "backendtype=phy",
         "backendtype=qdisk", "backendtype=tap", "backendtype=iscsi", "backend=storage", "backend=0", "backend=Domain-0", "backend=",
         "backenddomain=storage", "script=block-x", "script=", "specification=virtio", "foo=bar", "foo=", "Foo=bar", "=",
         "a=b=c", "discardx", "no-discard ", "format=raw", "format=vhd", "format=", "vdev=xvdz", "access=ro", "access=no", "access=", "x\\ny"]


def quote(rng, text):
    mark = rng.choice("\"'")
    out = "".join(PLAIN[c] if c in PLAIN and (c in (mark, "\\") or rng.random() < 0.3) else c for c in text)
    if rng.random() < 0.06:
        at = rng.randrange(len(text) + 1)
        out = text[:at].replace("\\", "").replace(mark, "") + rng.choice(ESCAPES) + text[at:].replace("\\", "").replace(mark, "")
    return mark + out + mark


def disk(rng):
    path = rng.choice(PATHS)
    if rng.random() < 0.35:  # by keys, in any order
        parts = ["format=" + rng.choice(FORMATS), "vdev=" + rng.choice(VDEVS), "access=" + rng.choice(ACCESS)]
        parts = [p for p in parts if rng.random() < 0.85]
        parts += [rng.choice(FLAGS) for _ in range(rng.choice([0, 0, 1, 2]))]
        rng.shuffle(parts)
        parts.append("target=" + path)
        if rng.random() < 0.1:
            parts.append(rng.choice(FLAGS))
    else:
        parts = ["".join(rng.choice(PREFIXES) for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 3]))) + path]
        parts += [rng.choice(c[:6]) if rng.random() < 0.8 else rng.choice(c) for c in (FORMATS, VDEVS, ACCESS)]
        if rng.random() < 0.3:
            del parts[1]
        parts = parts[: rng.choice([1, 2, 3, 3, 4, 4, 4])]
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            parts.insert(rng.randrange(len(parts) + 1), rng.choice(FLAGS))
    return rng.choice([",", ",", ",", ", ", " ,"]).join(parts) + rng.choice(["", "", "", "", ",", " ", "="])


def number(rng):
    return rng.choice(["0", "1", "512", "0x200", "010", "1abx", "12", "99999999999999999999"] * 12 + ["-1", "1.5", "1G", "+3"])


def atom(rng):
    return number(rng) if rng.random() < 0.3 else quote(rng, rng.choice(WORDS))


def gap(rng):
    return rng.choice(["", "", " ", "\t", "\n", " # of it\n", "\n\n"])


def lists(rng, item, depth=0):
    items = [lists(rng, item, depth + 1) if depth < 3 and rng.random() < 0.1 else item() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
    text = "[" + gap(rng)
    for i, one in enumerate(items):
        text += one + gap(rng) + ("," if i + 1 < len(items) or rng.random() < 0.3 else "") + gap(rng)
    return text + rng.choice(["]"] * 150 + ["", ",]", "]]", ";]"])


def setting(rng):
    key = rng.choice(KEYS) if rng.random() < 0.99 else rng.choice(["Name", "_a", "1a", "a-b", "", "a b", "if"])
    if rng.random() < 0.35:
        key, value = "disk", lists(rng, lambda: quote(rng, disk(rng)))
    elif rng.random() < 0.3:
        value = lists(rng, lambda: atom(rng))
    else:
        value = atom(rng)
    blank = lambda: rng.choice(["", " ", " ", "\t"])
    return key + blank() + rng.choice(["="] * 12 + ["+="] * 4 + ["==", "", ":", "+", "\n="][: rng.choice([0] * 9 + [5])]) + blank() + value


def config(rng):
    text = "".join(rng.choice(["", "", "# a comment\n", "\n", ";", "  "]) + setting(rng) +
                   rng.choice(["\n"] * 10 + [" \n", " # c\n", ";", "; ", ";\n", "\r\n" if rng.random() < 0.1 else "\n"])
                   for _ in range(rng.choice([1, 1, 2, 3, 4])))
    return text + rng.choice([""] * 40 + ["# the end", "#", "x", "$", "a=1", "\n\n", "\\", "'", '"a', "a=", "]", " "])


def main():
    seed, count, directory = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    for i in range(count):
        with open(f"{directory}/{i:05}.cfg", "w", encoding="utf-8", newline="") as f:
            f.write(config(random.Random(seed * 1000003 + i)))


main()
