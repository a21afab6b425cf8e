"""System calls of a running program: counted, followed, made to fail, or the last thing that it does."""
import contextlib
import subprocess
import time
from pathlib import Path

from installation import check


def command(calls, paths=(), inject=None, log='/dev/null'):
    """The words before a program or before `-p`. strace counts each call of each thread by itself."""
    words = ['strace', '-f', '-qq', '-y', '-e', 'signal=none', '-o', str(log), '-e', f'trace={",".join(calls)}']
    for path in paths:
        words += ['-P', str(path)]
    if inject:
        words += ['-e', f'inject={",".join(calls)}:{inject}']
    return words


@contextlib.contextmanager
def attached(pid, calls, paths=(), inject=None, log='/dev/null'):
    """Follows every thread of a process as long as the block lasts."""
    tracer = subprocess.Popen([*command(calls, paths, inject, log), '-p', str(pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while not is_followed(pid):
            check(tracer.poll() is None and time.monotonic() < end, 'strace could not follow the program')
            time.sleep(0.002)
        yield
    finally:
        # Detaches; where the program is gone already it ends by itself, or waits for threads that will not be told.
        tracer.terminate()
        try:
            tracer.wait(timeout=2)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()


def is_followed(pid):
    try:
        states = [task.joinpath('status').read_text() for task in Path(f'/proc/{pid}/task').iterdir()]
    except FileNotFoundError:
        return False
    return all('TracerPid:\t0\n' not in state for state in states)


def count(log, call):
    """How often a call was made."""
    return sum(f' {call}(' in line for line in Path(log).read_text().splitlines())
