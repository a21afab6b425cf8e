"""D13: killed in the middle of bringing the schema up to date, from nothing and from the version before, full of invoices."""
import contextlib
import shutil
import sqlite3
import subprocess

import strace
from cluster import Cluster
from installation import PROGRAM, ROOT, Installation, check, scale

INVOICES = 100_000
FILES = sorted((ROOT / 'billing/migrations').glob('*.sql'))
NUMBERS = f'with recursive n (i) as (select 1 union all select i + 1 from n where i < {INVOICES})'
# What a column is filled with that must not be null and is not said otherwise.
FILLED = {'text': "'{}'", 'bigint': '0', 'boolean': 'false'}


class Sqlite:
    """Databases are files; each kind is one that others are copied from."""

    calls = ('pwrite64', 'fdatasync')

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)

    def url(self, name):
        return f'sqlite://{self.folder}/{name}.db'

    def run(self, name, script):
        with contextlib.closing(sqlite3.connect(self.folder / f'{name}.db')) as books:
            books.executescript(script)

    def ask(self, name, sql):
        with contextlib.closing(sqlite3.connect(self.folder / f'{name}.db')) as books:
            return books.execute(sql).fetchall()

    def copy(self, name, to):
        self.drop(to)
        if (self.folder / f'{name}.db').exists():
            shutil.copy(self.folder / f'{name}.db', self.folder / f'{to}.db')

    def drop(self, name):
        for left in self.folder.glob(f'{name}.db*'):
            left.unlink()

    def columns(self, name, table):
        return [(c, t.lower(), bool(required)) for _, c, t, required, *_ in self.ask(name, f'pragma table_info({table})')]

    def note_applied(self, name, full):
        """Writes down, as the program does, which files have been applied: all but the last."""
        (schema,), *_ = self.ask(full, "select sql from sqlite_master where name = '_sqlx_migrations'")
        copied = f"attach '{self.folder}/{full}.db' as other; insert into _sqlx_migrations select * from other._sqlx_migrations"
        self.run(name, f'{schema}; {copied} where version < (select max(version) from other._sqlx_migrations);')

    def schema(self, name):
        return self.ask(name, "select type, name, sql from sqlite_master where name not like 'sqlite_%' order by 1, 2")


class Postgres:
    calls = ('write', 'sendto')

    def __init__(self, folder):
        folder.mkdir(parents=True)
        self.cluster = Cluster().start()

    def url(self, name):
        if name not in self.names():
            self.cluster.query(f'create database {name}', 'postgres')
        return f'postgres:///{name}?host={self.cluster.run_folder}&user=postgres'

    def names(self):
        return self.cluster.query('select datname from pg_database', 'postgres').split()

    def run(self, name, script):
        self.url(name)
        self.cluster.query(script, name)

    def ask(self, name, sql):
        return [tuple(line.split('|')) for line in self.cluster.query(sql, name).splitlines()]

    def copy(self, name, to):
        self.drop(to)
        if name in self.names():
            self.cluster.query(f'create database {to} template {name}', 'postgres')

    def drop(self, name):
        self.cluster.query(f'drop database if exists {name} with (force)', 'postgres')

    def columns(self, name, table):
        sql = f"select column_name, data_type, is_nullable from information_schema.columns where table_name = '{table}' order by ordinal_position"
        return [(column, kind, nullable == 'NO') for column, kind, nullable in self.ask(name, sql)]

    def note_applied(self, name, full):
        dump = subprocess.run(
            [f'{self.cluster.bin}/pg_dump', '-h', self.cluster.run_folder, '-U', 'postgres', '--inserts', '-t', '_sqlx_migrations', full],
            text=True, capture_output=True, check=True,
        ).stdout
        # The dump's own commands to psql are nothing for `-c`.
        dump = '\n'.join(line for line in dump.splitlines() if not line.startswith('\\'))
        self.run(name, f'{dump}; delete from public._sqlx_migrations where version = (select max(version) from public._sqlx_migrations)')

    def schema(self, name):
        tables = "select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = 'public' order by 1, 2"
        triggers = 'select tgname, tgenabled from pg_trigger where not tgisinternal order by 1'
        indexes = "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 1"
        return [self.ask(name, sql) for sql in (tables, triggers, indexes)]


def run(folder, database):
    store = Sqlite(folder / 'db') if database == 'sqlite' else Postgres(folder / 'db')
    installation = Installation(folder / 'portico', store.url('latest'))
    installation.run('migrate')
    expected = store.schema('latest')
    older(store)
    killed = 0
    for start, rows in (('empty', 0), ('older', INVOICES)):
        count = calls(installation, store, start, folder / 'calls.log')
        numbers = range(1, count + 1) if scale(False, True) else sorted({1, count // 3, 2 * count // 3, count - 1})
        for number in numbers:
            killed += interrupted(installation, store, start, number)
            done = installation.run('migrate', may_fail=True)
            check(done.returncode == 0, f'from {start}, killed at call {number}: {done.stderr}')
            check(store.schema('tried') == expected, f'from {start}, killed at call {number}: another schema')
            if rows:
                ((left,),) = store.ask('tried', 'select count(*) from invoice')
                check(int(left) == rows, f'killed at call {number}: {left} of {rows} invoices are left')
    installation.start()
    if database == 'postgres':
        installation.cluster = store.cluster
    # Invoices that were made up prove nothing.
    installation.end(has_true_books=False)
    check(killed > 1, 'it was never killed')
    return f'{killed} kills from nothing and from the version before with {INVOICES:,} invoices; each time the next start completed it'


def older(store):
    """A database of the version before, with a merchant and all their invoices."""
    store.run('older', '\n'.join(file.read_text() for file in FILES[:-1]))
    store.note_applied('older', 'latest')

    def insert(table, select='', **said):
        names, values = [], []
        for column, kind, is_required in store.columns('older', table):
            if is_required or column in said:
                names.append(column)
                values.append(said.get(column) or FILLED[kind])
        store.run('older', f'{NUMBERS if select else ""} insert into {table} ({", ".join(names)}) select {", ".join(values)} {select}')

    insert('merchant', id="'acct_1'")
    insert('tenant', id='1', merchant="'acct_1'")
    insert('customer', tenant='1', id="'cus_1'", tax_exempt="'none'")
    insert('invoice', 'from n', tenant='1', id="'in_' || i", customer="'cus_1'", number="'F-' || i", status="'paid'")


def calls(installation, store, start, log):
    store.copy(start, 'tried')
    installation.database_url = store.url('tried')
    subprocess.run(
        [*strace.command(store.calls[:1], log=log), PROGRAM, 'migrate'], env=installation.variables(), cwd=installation.folder,
        check=True, capture_output=True,
    )
    return strace.count(log, store.calls[0])


def interrupted(installation, store, start, number):
    store.copy(start, 'tried')
    store.url('tried')
    words = strace.command(store.calls[:1], inject=f'signal=KILL:when={number}')
    done = subprocess.run([*words, PROGRAM, 'migrate'], env=installation.variables(), cwd=installation.folder, capture_output=True)
    return done.returncode != 0

