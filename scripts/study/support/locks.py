"""Who is training a run: one process at a time, which says in the run's folder who it is."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import BinaryIO

import psutil

from study.support.errors import printable
from study.support.files import read_own

NAME = ".lock"

# By how much the system's clock may have been set since a process began.
CLOCK_SECONDS = 60


@dataclass(frozen=True)
class Holder:
    """The process `pid` of the machine `host`, which took the lock at `since`, seconds of Unix."""

    host: str
    pid: int
    since: float

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether it still runs, if it `is_here`; another may have got its number since."""
        try:
            process = psutil.Process(self.pid)
            ended = process.status() == psutil.STATUS_ZOMBIE
            return not ended and process.create_time() <= self.since + CLOCK_SECONDS
        except psutil.Error:
            return False


@contextlib.contextmanager
def run_lock(folder: Path, tell: Callable[[str], None] | None = None) -> Iterator[bool]:
    """Hold a run's lock, so that nobody else trains it; False where somebody does.

    With `tell`, which is told who that is, it is waited for, and never False.
    """
    with _opened(folder / NAME) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if tell is None:
                yield False
                return
            known = holder(folder)
            who = f"process {known.pid} on {known.host}" if known else "another process"
            tell(f"{who} is training this run; waiting until it ends")
            fcntl.flock(lock, fcntl.LOCK_EX)
        own = Holder(socket.gethostname(), os.getpid(), time.time())
        # The lock holds without it, as on a full disk.
        with contextlib.suppress(OSError):
            lock.truncate(0)
            lock.write(json.dumps(asdict(own)).encode() + b"\n")
        try:
            yield True
        finally:
            lock.truncate(0)


def _opened(path: Path) -> BinaryIO:
    """The file of a lock. What a link points to is another's: the link is taken away."""
    if path.is_symlink():
        path.unlink()
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(os.open(path, flags, 0o666), "ab", buffering=0)


def holder(folder: Path) -> Holder | None:
    """Who took the lock of a run last and did not give it back, having been killed or at work."""
    try:
        told = Holder(**json.loads(read_own(folder / NAME) or b"null"))
    except (ValueError, TypeError, RecursionError):
        return None
    types = (type(told.host), type(told.pid), type(told.since))
    is_right = types in ((str, int, float), (str, int, int)) and 0 < told.pid < 2**31
    is_right = is_right and 0 <= told.since < 1e12
    return replace(told, host=printable(told.host)) if is_right else None
