# SPDX-License-Identifier: MIT
"""iso.py join IMAGE NAME: the file whose record has NAME goes on in the next record of its directory, as one of more than
4 GiB does. Prints how many records were changed.
"""
import sys


def join(path, name):
    with open(path, "r+b") as f:
        data = f.read()
        at, found = 0, 0
        while (at := data.find(name, at)) >= 0:
            record = at - 33
            if data[at - 1] == len(name) and not data[record + 25]:
                f.seek(record + 25)
                f.write(b"\x80")
                found += 1
            at += 1
    print(found)


join(sys.argv[2], sys.argv[3].encode())
