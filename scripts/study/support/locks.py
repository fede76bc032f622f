"""Who is training a run: one process at a time, which says in the run's folder who it is."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

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
def run_lock(folder: Path) -> Iterator[bool]:
    """Hold a run's lock, so that nobody else trains it; False where somebody does."""
    with (folder / NAME).open("ab", buffering=0) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        own = Holder(socket.gethostname(), os.getpid(), time.time())
        # The lock holds without it, as on a full disk.
        with contextlib.suppress(OSError):
            lock.truncate(0)
            lock.write(json.dumps(asdict(own)).encode() + b"\n")
        try:
            yield True
        finally:
            lock.truncate(0)


def holder(folder: Path) -> Holder | None:
    """Who took the lock of a run last and did not give it back, having been killed or at work."""
    try:
        return Holder(**json.loads((folder / NAME).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
