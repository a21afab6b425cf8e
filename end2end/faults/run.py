"""Breaks the built program in every way that a machine does, and looks whether its books are still right.

usage: python3 end2end/faults/run.py [NAME...]     (`--list` says which there are)
PORTICO_PROGRAM is the program (target/release/portico), PORTICO_TEST_SCALE=release makes it as long as before a release.
It needs root, for mounts, and strace, faketime and PostgreSQL (build/setup.sh faults). What cannot be run here is a failure,
unless PORTICO_FAULTS_MAY_SKIP=1.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

# The sources' folder stays as it is.
sys.dont_write_bytecode = True

import broken  # noqa: E402
import clocks  # noqa: E402
import crashes  # noqa: E402
import crowd  # noqa: E402
import full  # noqa: E402
import kills  # noqa: E402
import migrations  # noqa: E402
import opens  # noqa: E402
import order  # noqa: E402
import power  # noqa: E402
from installation import PROGRAM  # noqa: E402

BOTH = ('sqlite', 'postgres')
# Name: what it shows, the test, its databases. The longest come first.
TESTS = {
    'kills': ('killed at system calls (D1, M13)', kills.run, BOTH),
    'broken': ('writes and syncs fail (D6)', broken.run, BOTH),
    'crashes': ('killed under load (D2)', crashes.run, BOTH),
    'power': ('the power fails (D3)', power.run, BOTH),
    'crowd': ('many writers (D12)', crowd.run, ('sqlite',)),
    'migrations': ('killed while migrating (D13)', migrations.run, BOTH),
    'clocks': ('the clock jumps (D14)', clocks.run, BOTH),
    'full': ('the disk is full (D7)', full.run, BOTH),
    'control': ('the power fails, and nothing was synced (D4)', power.control, BOTH),
    'order': ('synced before it is answered (D5)', order.run, ('sqlite',)),
    'opens': ('what it runs on, and what is stored (D11)', opens.run, ('sqlite',)),
}
SIDE_BY_SIDE = 3


def one(folder, name, database):
    """Answers a line, and whether all was well."""
    what, test, _ = TESTS[name]
    begun = time.monotonic()
    try:
        said, is_well = test(folder / f'{name}-{database}', database), True
    except Exception:  # noqa: BLE001 - whatever it is, the others are still to be run
        said, is_well = 'FAILED\n' + traceback.format_exc(), False
    return f'{what}, {database}: {said} ({time.monotonic() - begun:.0f} s)', is_well


def missing():
    """What this machine lacks or does not allow, in a word each."""
    lacks = [tool for tool in ('strace', 'faketime', 'mkfs.ext4') if not shutil.which(tool)]
    if os.geteuid():
        return [*lacks, 'root']
    if not lacks and subprocess.run(['strace', '-qq', '-o', '/dev/null', 'true'], stderr=subprocess.DEVNULL).returncode:
        lacks.append('leave to trace')
    with tempfile.TemporaryDirectory() as folder:
        try:
            disk = power.Disk(Path(folder))
            disk.mount()
            disk.unmount()
        except (OSError, subprocess.CalledProcessError):
            lacks.append('leave to mount a file as a disk')
    return lacks


def main(names):
    if names == ['--list']:
        for name, (what, _, databases) in TESTS.items():
            print(f'{name:12} {what}, {" and ".join(databases)}')
        return 0
    if not Path(PROGRAM).exists():
        sys.exit(f'faults: {PROGRAM} is missing: run `make build`')
    if lacks := missing():
        said = f'faults: NOT RUN, since this machine lacks {", ".join(lacks)} (build/setup.sh faults)'
        print(said)
        return 0 if os.environ.get('PORTICO_FAULTS_MAY_SKIP') == '1' else 1
    runs = [(name, database) for name in names or TESTS for database in TESTS[name][2]]
    folder = Path(tempfile.mkdtemp(prefix='portico-faults.', dir='/tmp'))
    # PostgreSQL's own user must come through.
    folder.chmod(0o755)
    is_well = True
    try:
        with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            for done in concurrent.futures.as_completed([pool.submit(one, folder, *run) for run in runs]):
                line, well = done.result()
                print(line, flush=True)
                is_well &= well
    finally:
        for line in Path('/proc/mounts').read_text().splitlines():
            if line.split()[1].startswith(str(folder)):
                subprocess.run(['umount', '-l', line.split()[1]], check=False)
    if is_well:
        shutil.rmtree(folder)
    else:
        print(f'faults: what is left of it is in {folder}')
    return 0 if is_well else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
