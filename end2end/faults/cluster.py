"""A PostgreSQL of the harness's own that keeps what it promised: unlike the one of the tests, it syncs."""
import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from installation import ROOT, Installation, check, until


class Cluster:
    """Reached by a socket only. `folder` is where the data is, and its log unless that is apart; `settings` are the server's."""

    def __init__(self, folder=None, settings=(), has_log_apart=False):
        self.bin = subprocess.run([ROOT / 'build/postgres.sh', 'find'], text=True, capture_output=True, check=True).stdout.strip()
        # A socket's path may have 107 bytes, and the server's user must reach it.
        self.run_folder = Path(tempfile.mkdtemp(prefix='portico-faults-pg.', dir='/tmp'))
        self.data = Path(folder or self.run_folder) / 'data'
        self.settings = settings
        self.count = 0
        if os.geteuid() == 0:
            shutil.chown(self.run_folder, 'postgres')
            if folder:
                shutil.chown(folder, 'postgres')
        self.as_owner(
            f'{self.bin}/initdb', '-D', self.data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8',
            *(['--waldir', self.run_folder / 'wal'] if has_log_apart else []),
        )
        atexit.register(self.remove)

    def as_owner(self, *command, log=None):
        command = [str(word) for word in command]
        if os.geteuid() == 0:
            command = ['runuser', '-u', 'postgres', '--', *command]
        # What it starts outlives it and must not hold our pipes.
        with tempfile.TemporaryFile('w+') as said:
            done = subprocess.run(command, cwd='/', stdin=subprocess.DEVNULL, stdout=said, stderr=said)
            said.seek(0)
            check(done.returncode == 0, f'{" ".join(command)}: {said.read()}{log.read_text()[-2000:] if log else ""}')

    def start(self):
        # Nothing of it lives, but a number that nobody has reaped yet looks as if.
        for left in (self.data / 'postmaster.pid', self.run_folder / '.s.PGSQL.5432.lock'):
            left.unlink(missing_ok=True)
        flags = f"-k {self.run_folder} -c listen_addresses='' -c max_connections=200 -c fsync=on"
        flags += ''.join(f' -c {setting}' for setting in self.settings)
        self.as_owner(f'{self.bin}/pg_ctl', '-D', self.data, '-l', self.run_folder / 'log', '-w', '-t', '60', '-o', flags, 'start', log=self.run_folder / 'log')
        return self

    def kill(self):
        """Every process of it, at once, without a word to the disk."""
        def living():
            found = [process for process in Path('/proc').glob('[0-9]*/cwd') if is_in(process, self.data)]
            for process in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process.parent.name), signal.SIGKILL)
            return found

        until(lambda: not living(), 'PostgreSQL lives on')

    def create_database(self):
        self.count += 1
        name = f'portico_{self.count}'
        self.query(f'create database {name}', 'postgres')
        return f'postgres:///{name}?host={self.run_folder}&user=postgres'

    def query(self, sql, database):
        done = subprocess.run(
            [f'{self.bin}/psql', '-h', self.run_folder, '-U', 'postgres', '-d', database, '-XqAt', '-v', 'ON_ERROR_STOP=1', '-c', sql],
            text=True, capture_output=True,
        )
        check(done.returncode == 0, done.stderr)
        return done.stdout

    def remove(self):
        self.kill()
        shutil.rmtree(self.run_folder, ignore_errors=True)


def is_in(process, folder):
    """Whether a process works in a folder: of all programs only PostgreSQL's own work there."""
    try:
        return os.readlink(process) == str(folder)
    except OSError:
        return False


def installed(folder, database):
    """An installation with a merchant, not yet started, on a database of its own."""
    cluster = Cluster().start() if database == 'postgres' else None
    installation = Installation(folder / 'portico', cluster and cluster.create_database())
    installation.cluster = cluster
    installation.create_merchant()
    return installation
