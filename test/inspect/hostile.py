#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hostile.py KIND DB: print commands for debugfs that change a guest so that reading it would need excessive time or
memory. Files for the commands are made in the current directory; DB is the guest's Nix database, which some kinds change."""
import hashlib
import os
import sqlite3
import sys

VAR = "/nix/var/nix"
PROFILES = VAR + "/profiles"
ROOTS = VAR + "/gcroots"
DIGITS = "0123456789abcdfghijklmnpqrsvwxyz"


def path(i, name="many"):
    return "/nix/store/" + "".join(DIGITS[b & 31] for b in hashlib.sha256(b"%d" % i).digest()) + "-" + name


def rows(db, count, references):
    """Add count paths to the system's closure, each with references to others of them."""
    c = sqlite3.connect(db, isolation_level=None)
    c.execute("pragma journal_mode=off")
    c.execute("begin")
    top = c.execute("select id from ValidPaths where path like '%nixos-system%' order by registrationTime desc limit 1").fetchone()[0]
    c.executemany(
        "insert into ValidPaths (id, path, hash, registrationTime, narSize) values (?, ?, ?, 1, 4096)",
        ((i + 1000, path(i), "sha256:" + hashlib.sha256(b"h%d" % i).hexdigest()) for i in range(count)))
    c.executemany("insert or ignore into Refs values (?, ?)",
                  ((i + 1000, 1000 + (i + k * k * 37 + 1) % count) for i in range(count) for k in range(references)))
    c.execute("insert into Refs select ?, id from ValidPaths where id >= 1000", (top,))
    c.execute("commit")
    c.close()
    replace(db)


def replace(db):
    print(f"rm {VAR}/db/db.sqlite\nwrite {db} {VAR}/db/db.sqlite")


def system(db):
    with sqlite3.connect(db) as c:
        return c.execute("select path from ValidPaths where path like '%nixos-system%' order by registrationTime desc limit 1").fetchone()[0]


def dag(_):
    """Hard links that give 2^56 paths to one directory."""
    for i in range(28):
        print(f"mkdir {ROOTS}{'/a' * (i + 1)}")
    for i in range(28):
        for name in "bcd":
            print(f"link {ROOTS}{'/a' * (i + 1)} {ROOTS}{'/a' * i}/{name}")


def maze(_):
    """Roots that take long to resolve: about 40 links, each with almost two thousand "./" components."""
    print(f"mkdir /m\nsymlink /m/l {'./' * 1900}.")
    for i in range(3000):
        print(f"symlink {ROOTS}/r{i} /m{'/l' * 38}/x")


def farm(_):
    """Roots that are links in a circle."""
    for i in range(20000):
        print(f"symlink {ROOTS}/r{i} r{(i + 1) % 20000}")


def sparse(db):
    """A database file with a hole of 1 TiB."""
    replace(db)
    print(f"sif {VAR}/db/db.sqlite size {1 << 40}")


def counted(db):
    """A database whose header counts pages that do not exist."""
    with open(db, "r+b") as f:
        f.seek(28)
        f.write((1 << 18).to_bytes(4, "big"))
    replace(db)
    print(f"sif {VAR}/db/db.sqlite size {1 << 30}")


def many(db):
    """As many paths as allowed."""
    rows(db, 250000, 1)


def woven(db):
    """Few paths with many references."""
    rows(db, 4000, 400)


def generations(db):
    """As many generations as allowed, and a large database."""
    rows(db, 60000, 4)
    top = system(db)
    for i in range(10, 9900):
        print(f"symlink {PROFILES}/system-{i}-link {path(i) if i % 2 else top}")


def bootspec(db):
    """A boot.json whose values are small, many and nested."""
    with open("boot.json", "w") as f:
        f.write('{"org.nixos.bootspec.v1":[' + ",".join(["{}"] * 1300000) + "]}")
    print(f"rm {system(db)}/boot.json\nwrite boot.json {system(db)}/boot.json")


def bootspecs(db):
    """A boot.json of 4 MB in a system that many generations use."""
    top = system(db)
    with open("boot.json", "w") as f:
        f.write('{"org.nixos.bootspec.v1":{"label":"' + "x" * 4000000 + '"}}')
    print(f"rm {top}/boot.json\nwrite boot.json {top}/boot.json")
    for i in range(10, 1000):
        print(f"symlink {PROFILES}/system-{i}-link {top}")


def arguments(db):
    """Kernel arguments too long for any kernel, in all generations."""
    top = system(db)
    with open("params", "w") as f:
        f.write("x" * 65000)
    print(f"rm {top}/boot.json\nrm {top}/kernel-params\nwrite params {top}/kernel-params")
    for i in range(10, 9900):
        print(f"symlink {PROFILES}/system-{i}-link {top}")


def strangers(_):
    """A store full of unregistered paths."""
    print("cd /nix/store")
    for i in range(15000):
        print(f"symlink {os.path.basename(path(i))} nowhere")


def deep(db):
    """Nested directories, far more than Nix allows."""
    print(f"cd {system(db)}")
    for _ in range(3000):
        print("mkdir d\ncd d")


def log(db):
    """A long write-ahead log, for a database that becomes long when the log is merged."""
    c = sqlite3.connect(db, isolation_level=None)
    c.execute("pragma journal_mode = wal")
    c.execute("pragma wal_autocheckpoint = 0")
    c.execute("create table BuildTraceV3 (id integer primary key autoincrement not null, drvPath text not null,"
              " outputName text not null, outputPath text not null, signatures text)")
    for i in range(200):
        c.execute("insert into BuildTraceV3 values (null, 'x', 'y', 'z', ?)", ("s" * 900000,))
    replace(db)
    print(f"write {db}-wal {VAR}/db/db.sqlite-wal")
    sys.stdout.flush()
    os._exit(0)


KINDS = {f.__name__: f for f in (dag, maze, farm, sparse, counted, many, woven, generations, bootspec, bootspecs,
                                 arguments, strangers, deep, log)}
if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(" ".join(KINDS))
    else:
        KINDS[sys.argv[1]](sys.argv[2])
