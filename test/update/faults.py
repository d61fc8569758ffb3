#!/usr/bin/env python3
# faults.py: make every read, allocation, write and sync of a command fail in turn. The command must then fail with a
# message, or have done all of its work; the disks have all of the change or none of it; nothing is left behind; no process
# is ended by a signal.
#
#     FAULTS_SECONDS=N  stop after N seconds (default 150, with TEST_SHORT 60); each kind gets its share, evenly spread
#     FAULTS_FULL=1     all steps of every kind, without a time limit (at most FAULTS_PLACES of each, if set)
#     FAULTS_ONLY=TEXT  only cases with TEXT in their name ("h update read")
import os
import re
import subprocess
import sys
import time

from guests import DOMSTRAP, ENV, FAULTS, PART, SYSTEMS, WORK, Disk, Guest, changes, copy, e2fsck, read, write_over
from ext4 import Ext4

FULL = os.environ.get('FAULTS_FULL')
SECONDS = float('inf') if FULL else float(os.environ.get('FAULTS_SECONDS', '60' if os.environ.get('TEST_SHORT') else '150'))
PLACES = int(os.environ.get('FAULTS_PLACES', '0' if FULL else '40'))
ONLY = os.environ.get('FAULTS_ONLY', '')
# which calls count as a step, how it fails, and whether the command may still succeed
KINDS = {
    'kill': ('write,sync', 'kill', False),
    'read': ('read', 'once', True),
    'alloc': ('alloc', 'once', True),
    'sync': ('sync', 'once', False),
    'write': ('write,sync', 'eio', False),
    'full': ('write', 'full', False),
    'short': ('write,read', 'short', True),
}
os.makedirs('tmp', exist_ok=True)


class Change:
    """A command that changes a guest."""
    kinds = list(KINDS)

    def __init__(self, guest, name, command):
        self.guest, self.command = guest, command
        self.name = '%s %s' % (guest.name, name)
        guest.restore()
        self.before = guest.look()
        self.done = guest.after(command)
        assert self.before != self.done, self.name

    def prepare(self):
        self.guest.restore()

    def run(self, **env):
        return self.guest.run(self.command, **env)

    def judge(self, result, must_fail):
        g = self.guest
        wrong, state = [], 'failed'
        following = g.run(['generations', g.cfg])
        if following.returncode:
            wrong.append('the next command fails: %s' % following.stderr.decode()[-200:])
        digest = g.look()
        wrong += g.judge(digest)
        if digest == self.done:
            state = 'done'
        elif digest != self.before:
            wrong.append('neither before nor after')
        if result.returncode == 0 and digest != self.done:
            wrong.append('status 0, but it is not done')
        return state, wrong


class Look:
    """A command that only reads: its output must be the same."""
    kinds = ['read', 'alloc', 'short']

    def __init__(self, guest, name, command):
        self.guest, self.command = guest, command
        self.name = '%s %s' % (guest.name, name)
        guest.restore()
        self.before = guest.states()
        self.done = guest.run(command)
        assert self.done.returncode == 0, self.done.stderr

    def prepare(self):
        self.guest.restore()

    def run(self, **env):
        return self.guest.run(self.command, **env)

    def judge(self, result, must_fail):
        wrong = []
        if result.returncode == 0 and result.stdout != self.done.stdout:
            wrong.append('status 0, but the answer is another one')
        if self.guest.states() != self.before:
            wrong.append('the disks have changed')
        return 'done' if result.returncode == 0 else 'failed', wrong


class Create:
    """A new guest in files: complete, or none."""
    kinds = list(KINDS)

    def __init__(self, extra, name):
        self.command = ['create', 'new', '--system', SYSTEMS['1'], '-q', '-j', '1', '--vif', 'none', '-o',
                        WORK + '/new'] + extra
        self.name = name
        self.prepare()
        done = self.run()
        assert done.returncode == 0, done.stderr
        self.done = self.digest()

    def prepare(self):
        subprocess.run(['rm', '-rf', 'new'])
        os.mkdir('new')

    def run(self, **env):
        return subprocess.run([DOMSTRAP] + self.command, env=dict(ENV, **env), capture_output=True, timeout=120)

    def digest(self):
        files = sorted(os.listdir('new'))
        return [(f, copy('new/' + f) if f.endswith('.cfg') else Ext4(read('new/' + f), PART).digest())
                for f in files]

    def judge(self, result, must_fail):
        files = os.listdir('new')
        if not files:
            return 'failed', ['status 0, but nothing is there'] if result.returncode == 0 else []
        if self.digest() != self.done:
            # If it was killed, the first file may have its name already.
            if result.returncode < 0 and 'new.cfg' not in files:
                return 'failed', ['e2fsck'] * bool(e2fsck('new/new.img', PART, '-fn')[0])
            return 'failed', ['left: %s' % files]
        return 'done', []


class CreateDevices(Create):
    """A new guest on two devices with an older one: never a bootable mixture of both."""

    def __init__(self, name):
        self.disks = {'root.blk': 64 << 20, 'boot.blk': 24 << 20}
        h = Guest('h')
        old = dict(zip(self.disks, (h.saved['h-root.img'], h.saved['h-boot.img'])))
        self.old = {d: old[d] + bytes(max(0, n - len(old[d]))) for d, n in self.disks.items()}
        super().__init__(['--layout', 'split', '--root-disk', WORK + '/root.blk', '--boot-disk', WORK + '/boot.blk',
                          '--force'], name)

    def prepare(self):
        super().prepare()
        for d, data in self.old.items():
            write_over(d, data)

    def run(self, **env):
        return super().run(**dict(env, LD_PRELOAD=FAULTS))

    def part(self, disk):
        data = read(disk)
        return Ext4(data, 0).digest() if data[1080:1082] == b'\x53\xef' else None

    def digest(self):
        return [(f, copy('new/' + f)) for f in sorted(os.listdir('new'))] + [self.part(d) for d in self.disks]

    def judge(self, result, must_fail):
        whole = [self.part(d) for d in self.disks]
        if all(Disk(data).same(read(d)) for d, data in self.old.items()):
            return 'failed', ['status 0, but nothing is there'] if result.returncode == 0 else []
        files = os.listdir('new')
        wrong = []
        if whole == self.done[-2:]:
            if self.digest() != self.done and (files or result.returncode > 0):
                wrong.append('failed, and the disks boot')
            return 'done', wrong
        if whole[1]:
            wrong.append('the boot disk is valid without its root')
        untouched = Disk(self.old['root.blk']).same(read('root.blk'))
        if whole[0] and whole[0] != self.done[-2] and not untouched:
            wrong.append('half a root is valid')
        # If a device can no longer be written, its new contents remain valid, with a warning.
        if whole[0] and result.returncode > 0 and not untouched and not re.search(rb'(?m)^warning: .* boot\b', result.stderr):
            wrong.append('failed, and the root disk is valid')
        if files:
            wrong.append('left: %s' % files)
        if result.returncode == 0:
            wrong.append('status 0, but it is not done')
        return 'failed', wrong


def cases():
    for guest, what, command in changes():
        yield lambda g=guest, w=what, c=command: Change(g, w, c), '%s %s' % (guest.name, what)
    for name in ('g', 'h'):
        guest = Guest(name)
        looks = {'generations': ['generations', guest.cfg, '--json'],
                 'verify': ['verify', guest.cfg, '--json', '--no-fsck', '-j', '1']}
        for what, command in looks.items():
            yield lambda g=guest, w=what, c=command: Look(g, w, c), '%s %s' % (name, what)
    yield lambda: Create([], 'create files'), 'create files'
    yield lambda: CreateDevices('create devices'), 'create devices'


def spread(n, places):
    """Numbers of the n steps, in an order in which every prefix is spread evenly."""
    want = n if not places else min(n, places)
    at = sorted({1 + i * n // want for i in range(want)}) if want else []
    out, step = [], max(1, len(at))
    seen = set()
    while step:
        out += [i for i in range(0, len(at), step) if i not in seen]
        seen.update(out)
        step //= 2
    return [at[i] for i in out]


def try_one(case, kind, at, steps, known):
    on, how, may_succeed = KINDS[kind]
    case.prepare()
    try:
        result = case.run(LD_PRELOAD=FAULTS, FAULT_ON=on, FAULT_KIND=how, FAULT_AT=str(at))
    except subprocess.TimeoutExpired:
        return 'failed', ['it hangs'], b''
    wrong = []
    if result.returncode < 0 and kind != 'kill' or result.returncode >= 128:
        wrong.append('died of signal %d' % -result.returncode)
    if result.returncode > 0 and not (result.stderr + result.stdout).strip():
        wrong.append('status %d without a word' % result.returncode)
    if result.returncode == 0 and not may_succeed:
        wrong.append('status 0 although a step failed')
    if kind == 'short' and result.returncode:
        wrong.append('a short transfer is no error')
    state, more = case.judge(result, not may_succeed)
    wrong += more
    left = set(os.listdir('.')) - known
    if left or os.listdir('tmp'):
        wrong.append('left behind: %s %s' % (sorted(left), os.listdir('tmp')))
        subprocess.run(['rm', '-rf', *left])
    return state + (' 0' if result.returncode == 0 else ''), wrong, result.stderr


def main():
    begun, work, table, bad = time.time(), [], {}, 0
    for make, name in cases():
        if ONLY and ONLY.split()[:2] != name.split()[:len(ONLY.split()[:2])]:
            continue
        case = make()
        for kind in case.kinds:
            if ONLY and len(ONLY.split()) > 2 and ONLY.split()[2] != kind:
                continue
            case.prepare()
            case.run(LD_PRELOAD=FAULTS, FAULT_ON=KINDS[kind][0], FAULT_COUNT=WORK + '/count')
            steps = int(open('count').read())
            if steps:
                work.append((case, kind, steps, spread(steps, PLACES)))
                table[case.name, kind] = [steps, 0, 0, 0, 0, 0]
    known = set(os.listdir('.'))
    for round in range(max(len(w[3]) for w in work)):
        for case, kind, steps, places in work:
            if round >= len(places) or (time.time() - begun > SECONDS and round > 1):
                continue
            state, wrong, said = try_one(case, kind, places[round], steps, known)
            row = table[case.name, kind]
            row[1] += 1
            row[2] += state.endswith(' 0')
            row[3] += state == 'failed'
            row[4] += state == 'done'
            if wrong:
                row[5] += 1
                bad += 1
                print('WRONG: %s, %s at %d of %d: %s; it says: %s' % (
                    case.name, kind, places[round], steps, '; '.join(wrong)[:500],
                    said.decode(errors='replace').strip()[-300:]), flush=True)
    print('%-16s %-6s %8s %6s %8s %7s %9s %6s' % (
        'command', 'kind', 'places', 'tried', 'status 0', 'undone', 'took hold', 'wrong'))
    for (case, kind), row in table.items():
        print('%-16s %-6s %8d %6d %8d %7d %9d %6d' % (case, kind, *row))
    total = [sum(r[i] for r in table.values()) for i in range(6)]
    print('%-16s %-6s %8d %6d %8d %7d %9d %6d' % ('all', '', *total))
    print('faults.py: %d places tried in %.0f s, %d wrong' % (total[1], time.time() - begun, bad))
    return 1 if bad else 0


sys.exit(main())
