#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peak.py COMMAND...: the peak memory in MiB of the command and its children
together, with shared pages counted once (PSS), sampled as often as possible."""
import os
import subprocess
import sys


def family(pid):
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        try:
            with open(f"/proc/{p}/task/{p}/children") as f:
                todo += [int(c) for c in f.read().split()]
        except OSError:
            pass
    return found


def pss(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0


peak = 0
for _ in range(5):
    p = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    exe = os.path.realpath(sys.argv[1])
    while p.poll() is None:
        try:
            if os.readlink(f"/proc/{p.pid}/exe") == exe:  # not yet the case before exec
                peak = max(peak, sum(pss(q) for q in family(p.pid)))
        except OSError:
            pass
print(peak / 1024)
