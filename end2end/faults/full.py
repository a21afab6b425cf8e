"""D7: the disk is full."""
import os
import subprocess
import time

from browser import page, sign_in
from cluster import Cluster
from installation import Installation, check, scale
from load import Buyer, Load

CUSTOMERS = 8
CHANGES = 6
REFUSALS = 40
BLOCK = 4096


def run(folder, database):
    """Reads go on, changes are refused until there is room again; nothing is half done and nobody restarts anything."""
    disk = folder / 'disk'
    disk.mkdir(parents=True)
    # PostgreSQL begins with more; its log is elsewhere, as a careful operator has it: without that it stops altogether.
    subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={16 if database == "sqlite" else 80}m', 'tmpfs', disk], check=True)
    try:
        return on(folder, disk, database)
    finally:
        subprocess.run(['umount', '-l', disk], check=True)


def on(folder, disk, database):
    cluster = None
    if database == 'postgres':
        (disk / 'postgres').mkdir()
        cluster = Cluster(disk / 'postgres', has_log_apart=True).start()
    installation = Installation(disk / 'portico', cluster and cluster.create_database())
    installation.log, installation.cluster = folder / 'portico.log', cluster
    installation.create_merchant()
    installation.start()
    load, refused = Load(installation, CUSTOMERS), 0
    cookie = sign_in(installation, load.buyers[0].customer)
    for _ in range(scale(1, 20)):
        served(load.buyers)
        filler = fill(disk)
        refused += refused_while_full(installation, load.buyers, cookie)
        filler.unlink()
        # What was on its way may be locked for a minute; anybody else is served at once.
        served([Buyer(load.shop) for _ in range(CUSTOMERS)])
        installation.stop()
        installation.later()
        installation.start()
        load.verify()
    installation.end()
    return f'{refused} changes refused with 503 while it was full, {load.acknowledged()} made and none lost'


def served(buyers):
    for buyer in buyers:
        for _ in range(CHANGES):
            check(buyer.step(), f'{buyer.pending} was not done')


def fill(disk):
    """Takes all the room that there is, and keeps it."""
    filler = disk / 'filler'
    with open(filler, 'wb', buffering=0) as file:
        for block in (1 << 20, BLOCK):
            try:
                while file.write(b'\0' * block):
                    pass
            except OSError:
                pass
    os.sync()
    return filler


def refused_while_full(installation, buyers, cookie):
    api, refused, end = installation.client(), 0, time.monotonic() + 60
    for buyer in buyers:
        buyer.step()
    while refused < REFUSALS:
        check(time.monotonic() < end, f'only {refused} changes were refused on a full disk')
        answer = api.ask('POST', '/v1/customers', {'name': 'Ada', 'description': 'x' * 2000})
        check(answer.status in (200, 503), f'on a full disk: {answer}')
        if answer.status == 503:
            check(answer.headers['retry-after'], 'a 503 without Retry-After')
            refused += 1
        for path in ('/v1/customers?limit=5', '/v1/invoices?limit=5', f'/v1/customers/{buyers[0].customer}'):
            api.get(path)
        check(page(installation, cookie) == 200, 'the portal does not show its overview')
    return refused
