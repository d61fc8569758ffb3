# The guests for faults.py and torn.py, made by make_guests of lib.sh: g has one disk, h has two; each has generations 1
# and 2 (in saved/), and 3 on trial (in trial/). WORK is the directory with systems, cache and public key; DOMSTRAP is the program.
import hashlib
import mmap
import os
import re
import subprocess

from ext4 import Ext4

WORK = os.getcwd()
DOMSTRAP = os.environ['DOMSTRAP']
FAULTS = os.environ['FAULTS']
PART = 1 << 20
ENV = dict(os.environ, LC_ALL='C', SOURCE_DATE_EPOCH='1700000100', TMPDIR=WORK + '/tmp')
SYSTEMS = dict(line.split() for line in open('systems'))
PENDING = b'/nix/var/nix/domstrap-pending'
CHUNK = 1 << 16


def fetch_from():
    return ['--from', 'file://' + WORK + '/cache', '--trusted-key', open('public').read().strip(), '--conf',
            WORK + '/conf']


def commands(cfg):
    """All commands that change a guest that is off."""
    update = ['update', cfg, '--system', SYSTEMS['3'], '-q', '-j', '1']
    return {
        'update': update,
        'fetch': update + fetch_from(),
        'rollback': ['rollback', cfg, '-q'],
        'gc': ['gc', cfg, '--keep', '1', '-q'],
        'grow': ['update', cfg, '--size', '+160M', '-q'],
        'try': update + ['--try'],
    }


def trial_commands(cfg):
    """Commands that change a guest with a generation on trial."""
    return {
        'confirm': ['confirm', cfg, '-q'],
        'drop': ['rollback', cfg, '-q'],
        'gc trial': ['gc', cfg, '--older-than', '0', '-q'],
    }


def changes():
    """Each guest with the name of a command and the command."""
    for name in ('g', 'h'):
        for saved, some in (('saved', commands), ('trial', trial_commands)):
            guest = Guest(name, saved)
            for what, command in some(guest.cfg).items():
                yield guest, what, command


class Disk:
    """Bytes with changes. Uses bytes, whose slices are compared much faster than those of a memoryview."""

    def __init__(self, base):
        self.base, self.size, self.changed = base, len(base), {}

    def piece(self, i):
        """The i-th CHUNK; shorter only at the end."""
        if i in self.changed:
            return self.changed[i]
        want = min(CHUNK, self.size - i * CHUNK)
        got = self.base[i * CHUNK:i * CHUNK + want]
        return got if len(got) == want else got + bytes(want - len(got))

    def put(self, at, data):
        done = 0
        while done < len(data):
            i, k = divmod(at + done, CHUNK)
            n = min(CHUNK - k, len(data) - done)
            if i not in self.changed:
                self.changed[i] = bytearray(self.piece(i))
            self.changed[i][k:k + n] = data[done:done + n]
            done += n

    def resize(self, size):
        last = self.size // CHUNK
        if size > self.size and self.size % CHUNK:
            self.changed.setdefault(last, bytearray(self.piece(last))).extend(
                bytes(min(size - self.size, CHUNK - self.size % CHUNK)))
        self.base = self.base[:size]
        self.changed = {i: c[:size - i * CHUNK] for i, c in self.changed.items() if i * CHUNK < size}
        self.size = size

    def key(self):
        """A hash of the changes to the base."""
        h = hashlib.sha1(b'%d' % self.size)
        for i in sorted(self.changed):
            if self.changed[i] != self.base[i * CHUNK:(i + 1) * CHUNK]:
                h.update(b'%d ' % i + self.changed[i])
        return h.digest()

    def same(self, data):
        return len(data) == self.size and all(
            self.piece(i) == data[i * CHUNK:(i + 1) * CHUNK] for i in range((self.size + CHUNK - 1) // CHUNK))


def write_over(path, data):
    """Set the file's contents to data, writing only chunks that differ."""
    disk = data if isinstance(data, Disk) else Disk(data)
    with open(path, 'r+b' if os.path.exists(path) else 'w+b', buffering=0) as f:
        f.truncate(disk.size)
        old = read(f)
        for i in range((disk.size + CHUNK - 1) // CHUNK):
            piece = disk.piece(i)
            if piece != old[i * CHUNK:(i + 1) * CHUNK]:
                os.pwrite(f.fileno(), piece, i * CHUNK)


def read(file):
    """A file's bytes, memory-mapped."""
    if isinstance(file, str):
        with open(file, 'rb') as f:
            return read(f)
    return mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if os.fstat(file.fileno()).st_size else b''


def copy(path):
    return bytes(read(path))


def e2fsck(path, base, how):
    """Run e2fsck on a file system; for a repair, a partition is copied to a file and back."""
    name = path + ('?offset=%d' % base if base else '')
    if base and how == '-p':
        # e2fsck loses "?offset=" when it replays the journal.
        name = WORK + '/part.img'
        write_over(name, copy(path)[base:])
    done = subprocess.run(['e2fsck', how, name], capture_output=True, text=True, env=ENV)
    if base and how == '-p':
        write_over(path, copy(path)[:base] + copy(name))
        os.unlink(name)
    return done.returncode, ' '.join(done.stdout.split('\n')[:6])[:300]


class Guest:
    def __init__(self, name, saved='saved'):
        self.name, self.cfg, self.split = name, name + '.cfg', name == 'h'
        self.disks = ['h-root.img', 'h-boot.img'] if self.split else ['g.img']
        self.base = 0 if self.split else PART
        self.saved = {d: copy('%s/%s' % (saved, d)) for d in self.disks}
        self.config = copy('%s/%s' % (saved, self.cfg))
        self.judged = {}

    def restore(self, states=None):
        for d in self.disks:
            write_over(d, (states or self.saved)[d])
        if not states:
            write_over(self.cfg, self.config)

    def states(self):
        return {d: copy(d) for d in self.disks}

    def look(self):
        """A digest of everything visible to the guest or Nix."""
        return '-'.join(Ext4(read(d), self.base).digest({PENDING, b'/lost+found'}) for d in self.disks)

    def unpack(self, to):
        for d, inside, place in zip(self.disks, ('/nix', '/'), (to, to + '/boot')):
            where = d + ('?offset=%d' % self.base if self.base else '')
            os.makedirs(place, exist_ok=True)
            subprocess.run(['debugfs', where, '-R', 'rdump %s %s' % (inside, place)], capture_output=True)
        if not self.split:
            where = self.disks[0] + '?offset=%d' % self.base
            subprocess.run(['debugfs', where, '-R', 'rdump /boot ' + to], capture_output=True)

    def deep(self):
        """Check with real Nix, and that the menu's files exist; once for each digest."""
        tree = WORK + '/tree'
        subprocess.run(['rm', '-rf', tree])
        self.unpack(tree)
        nix = subprocess.run(['nix-store', '--store', tree, '--verify', '--check-contents'], capture_output=True,
                             text=True)
        lines = [x for x in (nix.stdout + nix.stderr).split('\n')
                 if re.search('disappeared|modified|missing|error|warning', x)]
        wrong = ['nix-store --verify: %s' % lines[:3]] if nix.returncode or lines else []
        menu = open(tree + '/boot/grub/grub.cfg').read()
        named = re.findall(r'^\s*(?:linux|initrd)\s+(\S+)(?:.*\binit=(\S+))?', menu, re.M)
        if not named:
            wrong.append('the menu is empty')
        for path, init in named:
            path = re.sub(r'^\(\$drive\d+\)', '', path)
            if '/kernels/' in path:
                path = '/boot/kernels/' + path.split('/')[-1]
            for p in filter(None, (path, init)):
                if not os.path.exists(tree + p):
                    wrong.append('the menu names %s, which is not there' % p)
        block = tree + '/boot/grub/grubenv'
        tries = os.path.exists(block) and b'\nnext_entry=NixOS' in copy(block)
        if tries and os.path.getsize(block) != 1024:
            wrong.append('grubenv has %d bytes' % os.path.getsize(block))
        subprocess.run(['rm', '-rf', tree])
        return wrong, tries

    def judge_config(self, tries):
        """It is as it was, or has the one more line that a trial requires."""
        now, line = copy(self.cfg), b'\nbootloader_args = [ "--write-env" ]'
        if now != self.config and now.replace(line, b'', 1) != self.config:
            return ['the config is neither old nor new']
        return ['a trial without --write-env'] if tries and line not in now else []

    def judge(self, digest):
        """Check the disks in their current state; returns errors."""
        wrong = []
        for d in self.disks:
            rc, said = e2fsck(d, self.base, '-fn')
            if rc:
                wrong.append('e2fsck -fn %s: %s' % (d, said))
        if digest not in self.judged:
            self.judged[digest] = self.deep()
        more, tries = self.judged[digest]
        return wrong + more + self.judge_config(tries)

    def run(self, command, timeout=120, **env):
        return subprocess.run([DOMSTRAP] + command, env=dict(ENV, **env), capture_output=True, timeout=timeout)

    def after(self, command):
        """The digest after the command without faults."""
        self.restore()
        done = self.run(command)
        assert done.returncode == 0, done.stderr
        return self.look()
