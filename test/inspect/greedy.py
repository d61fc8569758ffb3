#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""greedy.py COMMAND...: run it; print wall-clock seconds, CPU seconds, and the largest memory of one of its processes in
MiB. Status 1 if it was killed, if a process had more than 512 MiB, or if one took more than 60 s of CPU time. A command
that hangs is stopped after 10 minutes; then its processes are listed, with what each is waiting for."""
import pathlib
import resource
import subprocess
import sys
import time

SECONDS, MIB, HANGS = 60, 512, 600


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))


def show(pid):
    """The process and its children: name, state, system call and kernel function of each thread."""
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").glob("*")):
        facts = [(task / name).read_text().strip() for name in ("comm", "wchan", "syscall")]
        state = (task / "stat").read_text().rpartition(")")[2].split()[0]
        print(f"{task.name} {facts[0]} {state} {' '.join(facts[1:])}", file=sys.stderr)
        for child in (task / "children").read_text().split():
            show(child)


began = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=open("said", "wb"), stderr=subprocess.STDOUT, preexec_fn=limit)
try:
    status = process.wait(HANGS)
except subprocess.TimeoutExpired:
    show(process.pid)
    process.kill()
    sys.exit(f"{' '.join(sys.argv[2:])}: does not end within {HANGS} s")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
peak = used.ru_maxrss / 1024
print(f"{time.monotonic() - began:6.2f} s, of a processor {used.ru_utime + used.ru_stime:6.2f} s {peak:5.0f} MiB  status {status}")
if status < 0 or status > 4 or peak > MIB:
    sys.exit(f"{' '.join(sys.argv[2:])}: status {status}, {peak:.0f} MiB")
