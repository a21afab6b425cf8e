"""D2: killed at any moment while two hundred clients are at it."""
import random

from cluster import installed
from installation import IS_RELEASE, check, scale, until
from load import Load

CLIENTS = 200


def run(folder, database):
    """On PostgreSQL every other time it is the database that crashes; the program lives on."""
    installation = installed(folder, database)
    installation.start()
    load = Load(installation, CLIENTS)
    slowest = 0
    load.begin()
    for number in range(scale(20, 500)):
        due = load.acknowledged() + random.randint(1, 30)
        until(lambda: load.failed or load.acknowledged() >= due, 'nobody is served')
        if installation.cluster and number % 2:
            installation.cluster.kill()
            installation.cluster.start()
            continue
        installation.kill()
        installation.later()
        slowest = max(slowest, installation.start())
    load.end()
    # Whatever a crash of the database left locked is open by then.
    installation.kill()
    installation.later()
    installation.start()
    load.verify()
    installation.end()
    # How fast a machine is that has other work to do says nothing.
    check(not IS_RELEASE or slowest <= 2, f'it took {slowest:.1f} s to serve again')
    return f'{scale(20, 500)} crashes, {load.acknowledged()} changes acknowledged and none lost, served again after at most {slowest:.2f} s'
