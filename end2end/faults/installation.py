"""One installation of the built program in a folder of its own: started, killed, started again, asked over HTTP."""
import atexit
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get('PORTICO_PROGRAM', str(ROOT / 'target/release/portico'))
IS_RELEASE = os.environ.get('PORTICO_TEST_SCALE') == 'release'
# Longer than any lock that a process that died leaves behind, and than it takes until a charge is looked up.
LATER = 6 * 60


def scale(quick, release):
    """How often something is done: the first number, or the second where PORTICO_TEST_SCALE=release."""
    return release if IS_RELEASE else quick


def check(condition, message):
    if not condition:
        raise AssertionError(message)


class Gone(Exception):
    """The connection ended before a whole answer had come."""


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)

    def ok(self):
        check(self.status == 200, f'{self.status}: {self.text}')
        return self.json

    def __repr__(self):
        return f'{self.status} {self.text[:300]}'


class Client:
    """One connection at a time to one installation, with a key of its merchant."""

    def __init__(self, installation, key):
        self.installation, self.key = installation, key
        self.connection = self.server = None
        self.used = 0

    def ask(self, method, path, form=None, key=None, headers=None):
        """One request; `Gone` where no whole answer came. `form` is a dict in the API's dialect."""
        headers = {'Authorization': f'Bearer {self.key}', **(headers or {})}
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        if key:
            headers['Idempotency-Key'] = key
        port = self.installation.port
        # The server hangs up on who says nothing for some seconds.
        is_fresh = self.server is self.installation.process and time.monotonic() - self.used < 3
        self.used = time.monotonic()
        if self.connection is None or not is_fresh:
            self.server = self.installation.process
            self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=40)
        try:
            self.connection.request(method, path, body, {'Host': f'localhost:{port}', **headers})
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read().decode())
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise Gone(repr(error)) from error

    def get(self, path):
        return self.ask('GET', path).ok()

    def post(self, path, form=None, key=None):
        return self.ask('POST', path, form or {}, key).ok()

    def all(self, path):
        """Every object of a list, newest first."""
        found, after = [], ''
        while True:
            page = self.get(f'{path}{"&" if "?" in path else "?"}limit=100{after}')
            found += page['data']
            if not page['has_more']:
                return found
            after = f'&starting_after={found[-1]["id"]}'


class Installation:
    """`database_url` is a file in the folder where none is given. The program's clock can be moved (`later`)."""

    def __init__(self, folder, database_url=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.is_sqlite = database_url is None
        self.database_url = database_url or f'sqlite://{self.folder}/portico.db'
        self.log = self.folder.with_suffix('.log')
        self.port = free_port()
        self.fields_port = free_port()
        self.offset = 0
        self.process = None
        self.pid = None
        self.key = None
        self.cluster = None
        self.environment = {}
        atexit.register(self.kill)

    def variables(self):
        # The program refuses settings that it does not know, so what is meant for the tests must not reach it.
        ours = {name: value for name, value in os.environ.items() if not name.startswith('PORTICO_')}
        return ours | {
            'PORTICO_DATABASE_URL': self.database_url,
            'PORTICO_SANDBOX_DATABASE_URL': f'sqlite://{self.folder}/sandbox.db',
            'PORTICO_ENCRYPTION_KEY': 'faults' * 6,
            'PORTICO_ADDR': f'127.0.0.1:{self.port}',
            'PORTICO_FIELDS_ADDR': f'127.0.0.1:{self.fields_port}',
            'PORTICO_PUBLIC_URL': f'http://localhost:{self.port}',
            'PORTICO_LOG': 'warn',
        } | (moved(self.offset) if self.offset else {}) | self.environment

    def run(self, *arguments, may_fail=False):
        """One command of the program; answers what it printed."""
        done = subprocess.run([PROGRAM, *arguments], cwd=self.folder, env=self.variables(), text=True, capture_output=True)
        check(may_fail or done.returncode == 0, f'portico {arguments[0]}: {done.stdout}{done.stderr}')
        return done if may_fail else done.stdout

    def create_merchant(self):
        self.key = json.loads(self.run('merchant', 'create', '--name', 'Faults', '--json'))['secret_key']

    def start(self, *flags, under=()):
        """Starts `serve`, perhaps under another program, and waits until it is ready; answers after how many seconds."""
        begun = time.monotonic()
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [*under, PROGRAM, 'serve', *flags], cwd=self.folder, env=self.variables(),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        while not self.is_ready():
            check(self.process.poll() is None, f'portico serve ended with {self.process.returncode}: {self.said()}')
            check(time.monotonic() - begun < 60, f'portico serve did not become ready: {self.said()}')
            time.sleep(0.005)
        self.pid = self.process.pid
        return time.monotonic() - begun

    def is_ready(self):
        try:
            return Client(self, '').ask('GET', '/readyz').status == 200
        except Gone:
            return False

    def said(self):
        return self.log.read_text(errors='replace')[-2000:] if self.log.exists() else ''

    def later(self, seconds=LATER):
        """From the next start on, the program's clock is so much further."""
        self.offset += seconds

    def now(self):
        return int(time.time()) + self.offset

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.is_running():
            self.process.kill()
        if self.process:
            self.process.wait()

    def stop(self):
        """As an operator does; the program ends by itself."""
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
            check(self.process.wait(timeout=20) == 0, f'it ended with {self.process.returncode}: {self.said()}')

    def end(self, has_true_books=True):
        """The last of it: it ends by itself, its books prove themselves, and it never panicked."""
        self.stop()
        if has_true_books:
            self.run('check', '--at-rest')
        if self.cluster:
            self.cluster.remove()
        text = self.log.read_text(errors='replace')
        check('panicked' not in text, f'it panicked: {text[-2000:]}')

    def client(self):
        return Client(self, self.key)


def moved(seconds):
    """What moves a program's wall clock: its monotonic clock goes on as it is."""
    return faketime() | {'FAKETIME': f'{seconds:+d}s'}


def faketime():
    library = next(iter(sorted(Path('/usr/lib').glob('*/faketime/libfaketimeMT.so.1'))), None)
    check(library, 'faketime is missing: build/setup.sh faults')
    return {'LD_PRELOAD': str(library), 'FAKETIME_DONT_FAKE_MONOTONIC': '1', 'DONT_FAKE_MONOTONIC': '1'}


def free_port():
    with contextlib.closing(socket.socket()) as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


def until(condition, message, seconds=30):
    """Waits until something is so."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        check(time.monotonic() < end, message() if callable(message) else message)
        time.sleep(0.01)
    return found
