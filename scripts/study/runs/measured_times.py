"""Seconds that were measured on a machine, kept for the user's next processes there.

What a choice follows from is measured once, so that noise does not choose otherwise a minute later.
"""

import contextlib
import fcntl
import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from study.support.files import read_own, write_text


def of(
    machine: Mapping[str, str], names: Sequence[str], measure: Callable[[], Mapping[str, float]]
) -> dict[str, float]:
    """The seconds of each of `names`, as `measure` gave them first on such a `machine`.

    `machine` says all that they depend on. Where the cache is damaged, they are measured anew;
    where it cannot be written, each time.
    """
    told = json.dumps(dict(machine), sort_keys=True)
    path = folder() / f"times-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json"
    with _one_at_a_time(path.parent):
        known = _known(path, names)
        if known is None:
            known = dict(measure())
            with contextlib.suppress(OSError):
                write_text(path, json.dumps({**machine, "seconds": known}, indent=1) + "\n")
    return known


def folder() -> Path:
    """The user's, for what can be made anew."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return Path(cache if os.path.isabs(cache) else os.path.expanduser("~/.cache")) / "study"


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Processes that begin together do not disturb each other's times, where this can be had."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _known(path: Path, names: Sequence[str]) -> dict[str, float] | None:
    """What the cache holds, if that is a time for each name."""
    try:
        seconds = json.loads(read_own(path) or b"null")["seconds"]
        found = {name: float(seconds[name]) for name in names}
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError):
        return None
    return found if all(0 < each < math.inf for each in found.values()) else None
