#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""greedy.py COMMAND...: run it; print its seconds and the most memory that one of its processes had, in MiB. Status 1
where it does not end within 60 s, was killed, or had over 512 MiB."""
import resource
import subprocess
import sys
import time

SECONDS, MIB = 60, 512
began = time.monotonic()
try:
    status = subprocess.run(sys.argv[1:], stdout=open("said", "wb"), stderr=subprocess.STDOUT, timeout=SECONDS).returncode
except subprocess.TimeoutExpired:
    sys.exit(f"{' '.join(sys.argv[2:])}: does not end within {SECONDS} s")
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"{time.monotonic() - began:6.2f} s {peak:5.0f} MiB  status {status}")
if status < 0 or status > 4 or peak > MIB:
    sys.exit(f"{' '.join(sys.argv[2:])}: status {status}, {peak:.0f} MiB")
