"""D5: nobody is told of a change before it is on the disk."""

import strace
from cluster import installed
from installation import check, scale



def run(folder, database):
    """Reads in what order the program wrote, synced and answered, one change after the other."""
    installation = installed(folder, database)
    installation.start('--no-workers')
    api, count, log = installation.client(), scale(100, 1000), folder / 'calls.log'
    calls = ('pwrite64', 'fdatasync', 'fsync', 'write', 'writev', 'sendto', 'read', 'recvfrom')
    with strace.attached(installation.pid, calls, log=log):
        for number in range(count):
            # Half of them with a key, which is a write of its own before the change.
            api.post('/v1/customers', {'name': f'Ada {number}'}, f'order-{number}' if number % 2 else None)
    installation.end()
    answered = early = 0
    for is_synced in answers(log.read_text().splitlines(), f'{installation.folder}/portico.db-wal'):
        answered, early = answered + 1, early + (not is_synced)
    check(answered == count, f'{count} changes, {answered} answers seen')
    check(not early, f'{early} of {answered} answers were sent before their change was on the disk')
    return f'{answered} changes, each on the disk before its answer was sent'


def answers(lines, wal):
    """For each 200 that was sent: whether the log was synced since the request came, and nothing written to it since."""
    is_synced, syncing = False, {}
    for line in lines:
        thread, rest = line.split(' ', 1)
        if f'<{wal}>' in rest and 'sync(' in rest:
            syncing[thread] = True
            is_synced = is_synced or rest.endswith('= 0')
        elif 'sync resumed' in rest and syncing.pop(thread, False):
            is_synced = rest.endswith('= 0')
        elif f'<{wal}>' in rest and 'pwrite64(' in rest:
            is_synced = False
        elif '"POST /v1/' in rest:
            is_synced = False
        elif '"HTTP/1.1 200' in rest:
            yield is_synced
