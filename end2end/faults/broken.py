"""D6: the disk breaks in the middle: a write or a sync fails once."""
import contextlib

import strace
from cluster import installed
from installation import check
from kills import DISK, SYNCS, happened_once, named, places, points, undisturbed
from shop import OPERATIONS, Shop, books_agree


def run(folder, database):
    """Every write and sync of one operation, and some of the others; the processor's ledger breaks as the books do."""
    installation = installed(folder, database)
    installation.start()
    shop = Shop(installation)
    failures = refused = 0
    for operation in OPERATIONS:
        expected, counts = undisturbed(shop, operation)
        for place, count in counts.items():
            if place[0] not in DISK:
                continue
            for number in points(operation is OPERATIONS[0] and place[0] in SYNCS, count):
                if number > count:
                    break
                failures, refused = failures + 1, refused + fails_at(shop, operation, place, number, expected)
    books_agree(installation)
    installation.end()
    check(refused, 'nothing was ever refused')
    return f'{failures} failing calls, {refused} answered with an error, none with a success that was none'


def fails_at(shop, operation, place, number, expected):
    """Answers whether the request was answered with an error."""
    installation, (call, paths) = shop.installation, place
    context = f'{operation.__name__}, with {call} {number} of {named(paths)} failing'
    one = operation(shop)
    with strace.attached(installation.pid, (call,), paths, f'error=EIO:when={number}'):
        answer = one.ask()
        if answer and answer.status == one.status:
            # A worker that was refused leaves its job locked for a minute, to be done after the start below.
            with contextlib.suppress(AssertionError):
                one.settle(2)
    is_refused = answer is None or answer.status != one.status
    # 409: the processor said nothing, and the invoice is locked until it is known what became of the charge.
    check(not is_refused or answer is None or answer.status in (409, 500, 503), f'{context}: {answer}')
    if not installation.is_running():
        check(installation.process.returncode, f'{context}: it ended as if all were well')
    elif number % 2:
        # The process lives on, and does the next thing as if nothing had been.
        another = operation(shop)
        said = another.ask()
        check(said.status == another.status, f'{context}: the next one: {said}')
    installation.kill()
    installation.later()
    installation.start()
    happened_once(one, None if is_refused else answer, expected, context)
    return is_refused
