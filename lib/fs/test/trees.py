# SPDX-License-Identifier: MIT
"""Trees for tests of file systems.

    trees.py fill DIR     make files: empty, with holes, preallocated, fragmented; small and large directories; links
    trees.py list DIR     print DIR as fs_tree does
    trees.py proto DIR    print DIR as a protofile for mkfs.xfs
"""
import os
import random
import sys
import zlib


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


def in_pieces(top):
    """Two files written alternately, so that both are fragmented; one has holes, too."""
    os.mkdir(f"{top}/pieces")
    size = os.statvfs(top).f_bsize
    a, b = (os.open(f"{top}/pieces/{n}", os.O_RDWR | os.O_CREAT) for n in "ab")
    for i in range(700):
        os.pwrite(a, random.randbytes(size), i * size)
        os.pwrite(b, random.randbytes(size), i * 2 * size)
        if i % 7 == 0:
            os.fsync(a)
            os.fsync(b)
    os.close(a)
    os.close(b)


def fill(top):
    os.makedirs(top, exist_ok=True)
    for name in ("boot/grub", "few", "many", "deep/a/b/c"):
        os.makedirs(f"{top}/{name}")
    write(f"{top}/empty", b"")
    write(f"{top}/tiny", b"x")
    write(f"{top}/boot/grub/grub.cfg", b"menuentry 'NixOS' { linux /kernel }\n")
    write(f"{top}/kernel", random.randbytes(3000001))
    write(f"{top}/zeros", bytes(70000))
    write(f"{top}/text", b"the same words again and again\n" * 20000)
    write(f"{top}/deep/a/b/c/file", b"deep\n")
    with open(f"{top}/holes", "wb") as f:
        f.truncate(3000000)
        f.seek(1500000)
        f.write(b"middle")
    with open(f"{top}/reserved", "wb") as f:
        os.posix_fallocate(f.fileno(), 0, 1000000)
        f.seek(500000)
        f.write(b"written")
    for i in range(30):
        write(f"{top}/few/name-{i}", b"")
    for i in range(2500):
        write(f"{top}/many/a-name-that-fills-the-directory-quickly-{i}", b"")
    for i in range(0, 2000, 2):
        os.remove(f"{top}/many/a-name-that-fills-the-directory-quickly-{i}")
    os.symlink("tiny", f"{top}/short-link")
    os.symlink("%0100d" % 7, f"{top}/long-link")
    os.symlink("l" * 1000, f"{top}/longer-link")
    in_pieces(top)


def show(top):
    for here, dirs, files in os.walk(top):
        at = "/" + os.path.relpath(here, top) if here != top else ""
        print("d", at or "/")
        for name in dirs + files:
            path = f"{here}/{name}"
            if os.path.islink(path):
                print("l", f"{at}/{name}", "->", os.readlink(path))
            elif os.path.isfile(path):
                with open(path, "rb") as f:
                    data = f.read()
                print("f", f"{at}/{name}", len(data), "%08x" % zlib.crc32(data))


def proto(top):
    print("/\n0 0\nd--755 0 0")
    inside(top)


def inside(top):
    for name in os.listdir(top):
        path = f"{top}/{name}"
        if os.path.islink(path):
            print(name, "l--777 0 0", os.readlink(path))
        elif os.path.isdir(path):
            print(name, "d--755 0 0")
            inside(path)
        else:
            print(name, "---755" if os.access(path, os.X_OK) else "---644", "0 0", os.path.abspath(path))
    print("$")


random.seed(1)
{"fill": fill, "list": show, "proto": proto}[sys.argv[1]](sys.argv[2])
