#!/usr/bin/env python3
# torn.py: the host stops during a command. The command's writes and syncs are recorded (faults.c, FAULT_LOG). From them,
# possible states of the disks are made: everything before the last sync of a disk is there; later writes may be lost,
# reordered, or torn between two sectors of 512 bytes. After e2fsck -p or after domstrap's next command, each state must
# be the old or the new one; for create, no guest or a complete one.
#
#     TORN_SECONDS=N  stop after N seconds (default 90, with TEST_SHORT 30) for all commands together, plus the time for
#                     recording them
#     TORN_STATES=N   at most N states of each command (default 100); 0: no limit
#     TORN_SEED=N     another series of states (default 1)
#     TORN_ONLY=TEXT  only commands with TEXT in their name ("h update")
import hashlib
import os
import random
import struct
import subprocess
import sys
import time

from ext4 import Ext4
from guests import DOMSTRAP, ENV, FAULTS, PART, SYSTEMS, WORK, Disk, Guest, changes, copy, e2fsck, read, write_over

SECONDS = float(os.environ.get('TORN_SECONDS', '30' if os.environ.get('TEST_SHORT') else '90'))
STATES = int(os.environ.get('TORN_STATES', '100')) or 10 ** 9
SEED = int(os.environ.get('TORN_SEED', '1'))
ONLY = os.environ.get('TORN_ONLY', '')
LOG = WORK + '/log'
SECTOR = 512
os.makedirs('tmp', exist_ok=True)


def recorded(names):
    """The records of FAULT_LOG: (kind, disk, offset, length, data)."""
    out, d, at = [], copy(LOG), 0
    while at < len(d):
        kind = d[at:at + 1].decode()
        path, offset, length, data = struct.unpack_from('<QQQQ', d, at + 1)
        at += 33
        name = os.path.basename(d[at:at + path].decode())
        at += path
        if name in names:
            out.append((kind, name, offset, length, d[at:at + data]))
        at += data
    return out


class Stops:
    """The states in which a recorded command may leave its disks."""

    def __init__(self, base, steps, supers, rng):
        self.base, self.steps, self.supers, self.rng = base, steps, supers, rng
        self.torn_super = False

    def apply(self, disks, step, torn=False):
        kind, name, offset, length, data = step
        disk = disks[name]
        if kind == 'T':
            disk.resize(offset)
            return
        data = bytes(length) if kind == 'Z' else data
        if kind == 'W' and offset + length > disk.size:
            disk.resize(offset + length)
        length = min(length, max(0, disk.size - offset))
        if not torn:
            disk.put(offset, data[:length])
            return
        # A superblock is two sectors; like Linux, domstrap assumes that a disk writes them together.
        whole_super = self.rng.random() < .5
        for i in range(0, length, SECTOR):
            here = offset + i - self.supers[name]
            if whole_super if 1024 <= here < 2048 else self.rng.random() < .5:
                end = min(length, i + SECTOR)
                disk.put(offset + i, data[i:end])

    def pick(self):
        """The disks after a stop: everything synced, and some of the rest."""
        rng, steps = self.rng, self.steps
        syncs = [i for i, s in enumerate(steps) if s[0] == 'S']
        if rng.random() < .5 and syncs:
            end = min(len(steps), max(1, rng.choice(syncs) + rng.choice([-2, -1, 0, 1, 2, 3])))
        else:
            end = rng.randrange(1, len(steps) + 1)
        last = {s[1]: i for i, s in enumerate(steps[:end]) if s[0] == 'S'}
        disks = {n: Disk(d) for n, d in self.base.items()}
        open_ = []
        for i, s in enumerate(steps[:end]):
            if s[0] == 'T' or s[0] != 'S' and i < last.get(s[1], -1):
                self.apply(disks, s)
            elif s[0] != 'S':
                open_.append(s)
        how = rng.choice(['some', 'some', 'all but one', 'last', 'torn', 'torn', 'none', 'all', 'other order'])
        if how == 'some':
            share = rng.choice([.1, .5, .9])
            open_ = [s for s in open_ if rng.random() < share]
        elif how == 'all but one' and open_:
            open_.remove(rng.choice(open_))
        elif how == 'last':
            open_ = open_[-1:]
        elif how == 'none':
            open_ = []
        elif how == 'other order':
            # Writes may reach the disk in any order.
            rng.shuffle(open_)
            open_ = open_[:rng.randrange(len(open_) + 1)]
        for s in open_:
            self.apply(disks, s, how == 'torn' and rng.random() < .6)
        return disks, '%s at %d of %d' % (how, end, len(steps))


class Change:
    """A command that changes a guest; recovered by e2fsck -p or by domstrap's next command."""

    def __init__(self, guest, name, command):
        self.guest, self.name = guest, '%s %s' % (guest.name, name)
        self.disks, self.base = guest.disks, dict(guest.saved)
        self.supers = {d: guest.base for d in guest.disks}
        guest.restore()
        self.before = guest.look()
        self.steps = record(lambda **env: guest.run(command, **env), self.disks)
        self.final, self.after = guest.states(), guest.look()
        assert not guest.judge(self.before) and not guest.judge(self.after)
        self.n = 0

    def judge(self, disks):
        g, wrong = self.guest, []
        self.n += 1
        # Recovery by e2fsck, which is slow, so only for every fourth state.
        if self.n % 4 == 0:
            g.restore(disks)
            for d in g.disks:
                rc, said = e2fsck(d, g.base, '-p')
                if rc > 1:
                    wrong.append('e2fsck -p %s: %d %s' % (d, rc, said))
            if not wrong:
                digest = g.look()
                wrong += g.judge(digest)
                # With two disks, each may be old or new; then judge() checks that every entry of the menu boots.
                if not g.split and digest not in (self.before, self.after):
                    wrong.append('after e2fsck neither old nor new')
        g.restore(disks)
        done = g.run(['generations', g.cfg])
        if done.returncode:
            return 'bad', wrong + ['the next command fails: ' + done.stderr.decode()[-300:]]
        digest = g.look()
        wrong += g.judge(digest)
        again = g.run(['generations', g.cfg])
        if again.returncode or again.stderr:
            wrong.append('the second next command: ' + again.stderr.decode()[-300:])
        if digest not in (self.before, self.after):
            wrong.append('neither old nor new')
        return 'old' if digest == self.before else 'new', wrong


class Create:
    """create on devices with another guest: the old one unchanged, no guest, or a complete new one."""

    def __init__(self, split):
        self.name = 'create, %s' % ('two devices' if split else 'one device')
        g = Guest('h' if split else 'g')
        sizes = [64 << 20, 24 << 20] if split else [64 << 20]
        self.disks = ['root.blk', 'boot.blk'][:len(sizes)]
        self.at = 0 if split else PART
        self.supers = {d: self.at for d in self.disks}
        self.base = {d: (g.saved[o] + bytes(n))[:n] for d, o, n in zip(self.disks, g.disks, sizes)}
        self.put(self.base)
        where = ['--layout', 'split', '--root-disk', 'root.blk', '--boot-disk', 'boot.blk'] if split else [
            '--disk', 'root.blk']
        command = ['create', 'new', '--system', SYSTEMS['1'], '-q', '-j', '2', '--vif', 'none', '--force', '-o',
                   'tmp'] + [WORK + '/' + a if a.endswith('.blk') else a for a in where]
        self.steps = record(lambda **env: subprocess.run([DOMSTRAP] + command, env=dict(ENV, **env),
                                                         capture_output=True), self.disks)
        self.final = {d: copy(d) for d in self.disks}
        self.done = [self.part(d) for d in self.disks]
        os.unlink('tmp/new.cfg')

    def put(self, disks):
        for d in self.disks:
            write_over(d, disks[d])

    def part(self, disk):
        """What can be mounted: a digest, None for nothing, or the errors of e2fsck."""
        data = read(disk)
        if self.at and data[510:512] != b'\x55\xaa' or data[self.at + 1080:self.at + 1082] != b'\x53\xef':
            return None
        rc, said = e2fsck(disk, self.at, '-fn')
        return Ext4(data, self.at).digest() if rc == 0 else 'damaged: ' + said

    def judge(self, disks):
        if all(disks[d].same(self.base[d]) for d in self.disks):
            return 'old', []
        self.put(disks)
        parts = [self.part(d) for d in self.disks]
        if parts == self.done:
            return 'new', []
        wrong = []
        for d, part, want in zip(self.disks, parts, self.done):
            if part not in (None, want) and not disks[d].same(self.base[d]) and not self.wiping(d):
                wrong.append('%s holds %s' % (d, part))
        # With two devices, a new boot disk must not be valid without the new root, nor a new root with the old boot
        # disk.
        if len(parts) == 2 and parts[1] and parts[1] == self.done[1] and parts[0] != self.done[0]:
            wrong.append('a new boot disk without its root')
        if len(parts) == 2 and parts[0] == self.done[0] and parts[1] not in (None, self.done[1]):
            wrong.append('a new root under an old boot disk')
        return 'none', wrong

    def wiping(self, name):
        """Whether clearing is incomplete: then parts of the old guest are still there."""
        data = read(name)
        for kind, disk, offset, length, _ in self.steps:
            if disk == name and kind == 'Z':
                old = self.base[name][offset:offset + length]
                if data[offset:offset + length] == old:
                    return True
        return False


def record(run, names):
    if os.path.exists(LOG):
        os.unlink(LOG)
    done = run(LD_PRELOAD=FAULTS, FAULT_LOG=LOG)
    assert done.returncode == 0, done.stderr
    return recorded(names)


def cases():
    for guest, what, command in changes():
        yield '%s %s' % (guest.name, what), lambda g=guest, w=what, c=command: Change(g, w, c)
    yield 'create one', lambda: Create(False)
    yield 'create two', lambda: Create(True)


def run_case(case, seconds):
    rng = random.Random(SEED)
    stops = Stops(case.base, case.steps, case.supers, rng)
    everything = {n: Disk(d) for n, d in case.base.items()}
    for s in case.steps:
        stops.apply(everything, s)
    assert all(everything[n].same(case.final[n]) for n in case.disks), 'the recording is not whole'
    seen, row, begun, tries = set(), {'old': 0, 'new': 0, 'none': 0, 'bad': 0, 'wrong': 0}, time.time(), 0
    while len(seen) < STATES and time.time() - begun < seconds and tries < 20 * STATES:
        tries += 1
        disks, what = stops.pick()
        key = hashlib.sha1(b''.join(disks[n].key() for n in case.disks)).digest()
        if key in seen:
            continue
        seen.add(key)
        state, wrong = case.judge(disks)
        row[state] += 1
        if wrong:
            row['wrong'] += 1
            print('WRONG: %s, %s: %s' % (case.name, what, '; '.join(wrong)[:600]), flush=True)
            if os.environ.get('TORN_KEEP'):
                for n in case.disks:
                    write_over('%s/%d-%s' % (os.environ['TORN_KEEP'], len(seen), n), disks[n])
    syncs = sum(s[0] == 'S' for s in case.steps)
    print('%-20s %6d %6d %7d %6d %6d %6d %6d' % (case.name, len(case.steps) - syncs, syncs, len(seen), row['old'],
                                                 row['new'], row['none'], row['wrong']), flush=True)
    return len(seen), row['wrong']


def main():
    todo = [(n, make) for n, make in cases() if ONLY in n]
    begun, states, wrong, spent = time.time(), 0, 0, 0
    print('%-20s %6s %6s %7s %6s %6s %6s %6s' % ('command', 'writes', 'syncs', 'states', 'old', 'new', 'none', 'wrong'))
    for i, (_, make) in enumerate(todo):
        case = make()
        start = time.time()
        n, bad = run_case(case, (SECONDS - spent) / (len(todo) - i))
        spent += time.time() - start
        states, wrong = states + n, wrong + bad
    print('torn.py: %d states in %.0f s, %d wrong' % (states, time.time() - begun, wrong))
    return 1 if wrong else 0


sys.exit(main())
