"""D12: sixty-four clients write at once, and nobody hears of a lock."""
import collections
import threading

from cluster import installed
from installation import check, scale
from load import in_parallel

CLIENTS = 64


def run(folder, database):
    installation = installed(folder, database)
    installation.start()
    each = scale(5_000, 100_000) // CLIENTS + 1
    said, lock = collections.Counter(), threading.Lock()

    def write(number):
        api = installation.client()
        customer = api.post('/v1/customers', {'name': f'Ada {number}'})['id']
        for n in range(each - 1):
            # One in four with a key: a transaction more.
            answer = api.ask('POST', f'/v1/customers/{customer}', {'metadata[n]': n}, f'{number}-{n}' if n % 4 == 0 else None)
            with lock:
                said[answer.status] += 1
        return int(api.get(f'/v1/customers/{customer}')['metadata']['n'])

    last = in_parallel(write, range(CLIENTS), CLIENTS)
    check(set(said) == {200}, f'answers by their status: {dict(said)}')
    check(last == [each - 2] * CLIENTS, 'the last change of some is not there')
    installation.end()
    log = installation.log.read_text()
    check('locked' not in log and 'BUSY' not in log, f'the log speaks of locks: {log[-1000:]}')
    return f'{sum(said.values())} changes from {CLIENTS} clients, each made'
