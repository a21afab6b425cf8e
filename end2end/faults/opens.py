"""D11: the program runs on a database that keeps its promises, or not at all; every column holds what it says."""
import contextlib
import json
import sqlite3

from installation import Installation, check

# What a declared type stores, besides null: the words of typeof().
STORED = {'TEXT': {'text'}, 'BIGINT': {'integer'}, 'BOOLEAN': {'integer'}}


def run(folder, database):
    installation = Installation(folder / 'portico')
    # A database in memory cannot write ahead, whatever it is asked.
    installation.environment['PORTICO_DATABASE_URL'] = f'sqlite://{folder}/nowhere.db?mode=memory'
    refused = installation.run('serve', may_fail=True)
    check(refused.returncode == 1 and 'journal_mode=memory' in refused.stderr, f'it started: {refused}')
    installation.environment.clear()
    json.loads(installation.run('demo', '--json'))
    installation.run('backup', str(folder / 'copy.db'))
    with contextlib.closing(sqlite3.connect(folder / 'copy.db')) as books:
        columns, values = 0, 0
        for (table,) in books.execute("select name from sqlite_master where type = 'table' and name not like '\\_%' escape '\\'").fetchall():
            for _, column, declared, *_ in books.execute(f'pragma table_info("{table}")').fetchall():
                found = dict(books.execute(f'select typeof("{column}"), count(*) from "{table}" where "{column}" is not null group by 1'))
                wrong = set(found) - STORED[declared.upper()]
                check(not wrong, f'{table}.{column} is declared {declared} and holds {wrong}')
                columns, values = columns + 1, values + sum(found.values())
    check(values > 1000, f'the demo has only {values} values')
    return f'a start without a write-ahead log is refused; {values} values in {columns} columns have the type that is declared'
