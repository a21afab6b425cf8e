"""D1, M13: killed at each system call that writes or syncs, in the middle of whatever it does."""
import contextlib
import itertools
import tempfile
from pathlib import Path

import strace
from cluster import installed
from installation import IS_RELEASE, Gone, check, until
from shop import OPERATIONS, Shop, books_agree

# What is written of a change on the way to the disk, to PostgreSQL, and to who asked.
SYNCS = ('fdatasync', 'fsync')
DISK = ('pwrite64', *SYNCS)
SOCKETS = ('write', 'writev', 'sendto')
# How many kills of one operation at one kind of call a quick run makes, evenly spread.
QUICK = 3


def run(folder, database):
    """Every write and sync of every operation where the scale is a release's; else of one, and some of the others."""
    installation = installed(folder, database)
    # One thread talks to PostgreSQL and to whoever asks, so that its calls can be counted.
    installation.environment['TOKIO_WORKER_THREADS'] = '1'
    installation.start()
    shop = Shop(installation)
    kills = {}
    for operation in OPERATIONS:
        expected, counts = undisturbed(shop, operation)
        for place, count in counts.items():
            is_every = place[0] in SYNCS and operation is OPERATIONS[0]
            for number in points(is_every, count):
                if not killed_at(shop, operation, place, number, expected):
                    break
                kills[operation.__name__] = kills.get(operation.__name__, 0) + 1
    books_agree(installation)
    installation.end()
    check(sum(kills.values()) >= len(OPERATIONS), f'it was hardly ever killed: {kills}')
    return f'{sum(kills.values())} kills, ' + ', '.join(f'{count} in {name}' for name, count in kills.items())


def places(installation):
    """Each system call to be killed at: its name, and the files that it is about."""
    ledger = [installation.folder / f'sandbox.db{ending}' for ending in ('', '-wal')]
    books = [installation.folder / f'portico.db{ending}' for ending in ('', '-wal')]
    files = [books, ledger] if installation.is_sqlite else [ledger]
    found = [(call, tuple(paths)) for paths in files for call in DISK]
    return found + [(call, ()) for call in SOCKETS]


def undisturbed(shop, operation):
    """What is to be seen after the operation, and how often it makes each call."""
    installation, counts = shop.installation, {}
    done = operation(shop)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / 'log'
        with strace.attached(installation.pid, DISK + SOCKETS, log=log):
            answer = done.ask()
            done.settle()
        check(answer.status == done.status, answer)
        for call, paths in places(installation):
            lines = [line for line in log.read_text().splitlines() if f' {call}(' in line]
            counts[call, paths] = sum(not paths or any(f'<{path}>' in line for path in paths) for line in lines)
    return done.seen(), counts


def points(is_every, count):
    """At which of the calls. Other work goes on beside, so the last of them may lie beyond the counted."""
    if IS_RELEASE or is_every:
        return itertools.count(1)
    return sorted({1 + (count - 1) * n // (QUICK - 1) for n in range(QUICK)}) if count else []


def killed_at(shop, operation, place, number, expected):
    """Answers whether it came to this call at all."""
    installation, (call, paths) = shop.installation, place
    one = operation(shop)
    with strace.attached(installation.pid, (call,), paths, f'signal=KILL:when={number}'):
        answer = one.ask()
        if answer:
            settle_or_die(one)
    if answer is None:
        installation.process.wait(timeout=10)
    was_killed = not installation.is_running()
    if was_killed:
        installation.later()
        installation.start()
    happened_once(one, answer, expected, f'{operation.__name__}, killed at {call} {number} of {named(paths)}')
    return was_killed


def named(paths):
    return paths[0].name if paths else 'a socket'


def happened_once(one, answer, expected, context):
    """Sent again with its key, the request has the one effect that it has undisturbed, and the answer that it had."""
    first, second = one.repeat(), one.repeat()
    check(first.status == one.status, f'{context}: {first}')
    check(first.text == second.text, f'{context}: replayed as {second}, first {first}')
    check(not answer or answer.text == first.text, f'{context}: answered {answer}, then {first}')
    one.settle()
    found = until_same(one.seen, expected)
    check(found == expected, f'{context}: {differences(expected, found)}')


def settle_or_die(operation):
    with contextlib.suppress(Gone):
        operation.settle()


def until_same(look, expected):
    """What is left of a charge without an answer is done by the workers, soon."""
    found = [look()]

    def same():
        found[0] = look()
        return found[0] == expected

    try:
        until(same, '', 15)
    except AssertionError:
        pass
    return found[0]


def differences(expected, found):
    return '; '.join(f'{name}: {found[name]}, not {expected[name]}' for name in expected if found[name] != expected[name])
