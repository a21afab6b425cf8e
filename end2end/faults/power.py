"""D3, D4: the power fails. A disk is cut off from whatever was not synced, and the machine with it."""
import contextlib
import fcntl
import os
import sqlite3
import struct
import subprocess
import time

from cluster import Cluster
from installation import Gone, Installation, check, scale
from load import Load

CLIENTS = 16
# ext4's shutdown without a last flush of its log: <linux/ext4.h>, EXT4_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH.
SHUTDOWN, NO_FLUSH = 0x8004587D, 2
# Makes every sync a word without a deed: what a database does that does not wait for its disk.
SYNCS = 'fdatasync,fsync,sync_file_range'
NO_SYNCS = ('strace', '-D', '-f', '--seccomp-bpf', '-qq', '-o', '/dev/null', '-e', f'trace={SYNCS}', '-e', f'inject={SYNCS}:retval=0')


class Disk:
    """An ext4 file system in a file."""

    def __init__(self, folder):
        self.image, self.mounted = folder / 'disk.img', folder / 'disk'
        self.mounted.mkdir(parents=True)
        subprocess.run(['truncate', '-s', '500M', self.image], check=True)
        subprocess.run(['mkfs.ext4', '-q', '-F', self.image], check=True)

    def mount(self):
        subprocess.run(['mount', '-o', 'loop', self.image, self.mounted], check=True)

    def cut(self):
        handle = os.open(self.mounted, os.O_RDONLY)
        fcntl.ioctl(handle, SHUTDOWN, struct.pack('I', NO_FLUSH))
        os.close(handle)

    def unmount(self):
        if self.mounted.is_mount():
            subprocess.run(['umount', self.mounted], check=True)


class Machine:
    """A disk with the program's folder on it, and PostgreSQL's where that is the database."""

    def __init__(self, folder, database, settings=(), under=()):
        self.disk, self.under = Disk(folder), under
        self.disk.mount()
        self.cluster = None
        if database == 'postgres':
            (self.disk.mounted / 'postgres').mkdir()
            self.cluster = Cluster(self.disk.mounted / 'postgres', settings).start()
        url = self.cluster and self.cluster.create_database()
        self.installation = Installation(self.disk.mounted / 'portico', url)
        self.installation.log = folder / 'portico.log'
        self.installation.cluster = self.cluster
        self.installation.create_merchant()
        self.installation.start(under=under)

    def fail(self):
        """From one instant to the next nothing reaches the disk; then all that ran is gone, and its memory."""
        self.disk.cut()
        self.installation.kill()
        if self.cluster:
            self.cluster.kill()
        self.disk.unmount()

    def boot(self):
        self.disk.mount()
        if self.cluster:
            self.cluster.start()
        self.installation.later()
        self.installation.start(under=self.under)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.installation.kill()
        if self.cluster:
            self.cluster.remove()
        self.disk.unmount()


def integrity(file):
    with contextlib.closing(sqlite3.connect(f'file:{file}?mode=ro', uri=True)) as books:
        return books.execute('pragma integrity_check').fetchone()[0]


def run(folder, database):
    """Whatever was acknowledged is there when the power is back."""
    with Machine(folder, database) as machine:
        load, cuts = Load(machine.installation, CLIENTS), scale(5, 200)
        for _ in range(cuts):
            work_until_the_power_fails(machine, load)
            machine.boot()
            load.verify()
        machine.installation.end()
        if machine.installation.is_sqlite:
            said = integrity(machine.installation.folder / 'portico.db')
            check(said == 'ok', f'integrity_check: {said}')
    return f'{cuts} power cuts, {load.acknowledged()} changes acknowledged and none lost'


def control(folder, database):
    """The same where nobody waits for the disk, which has to be noticed: else the test above says nothing."""
    is_sqlite = database == 'sqlite'
    lazy = () if is_sqlite else ('synchronous_commit=off', 'wal_writer_delay=10s')
    with Machine(folder, database, lazy, NO_SYNCS if is_sqlite else ()) as machine:
        load = Load(machine.installation, CLIENTS)
        work_until_the_power_fails(machine, load)
        said = load.acknowledged()
        try:
            machine.boot()
            lost = len(load.lost())
        except (AssertionError, Gone) as error:
            lost = f'everything ({str(error).splitlines()[0][:80]})'
    check(lost, f'nothing was lost of {said} changes, although nothing was synced')
    return f'{said} changes acknowledged, and as it must, the test sees that some are lost: {lost}'


def work_until_the_power_fails(machine, load):
    before = load.acknowledged()
    load.begin()
    time.sleep(0.8)
    machine.fail()
    load.end()
    check(load.acknowledged() > before, 'nothing was acknowledged before the power failed')
