"""What stands in the way of the files that a workflow is to write, seen before its first job."""

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from study.support.errors import StudyError

# A clock that is so little behind is that of another machine.
CLOCK_SECONDS = 1.0

# Times in the future are put into so short a while before now, in their order.
WHILE_SECONDS = 0.5


def in_the_way(files: Iterable[Path]) -> list[Path]:
    """What cannot be what it must be: a file above one of `files`, a folder or dead link at it."""
    # Text and a look at each folder once: of thousands of runs, paths as objects take seconds.
    blocked: dict[str, str | None] = {}
    found: dict[str, None] = {}
    for file in map(os.fspath, files):
        folder = os.path.dirname(file)
        obstacle = _obstacle(folder, blocked)
        if obstacle is not None:
            found[obstacle] = None
        elif os.path.isdir(file) or (os.path.islink(file) and not os.path.exists(file)):
            found[file] = None
    return list(map(Path, found))


def _obstacle(folder: str, known: dict[str, str | None]) -> str | None:
    """What is there in place of `folder` or of one above it, and is no folder; kept in `known`."""
    if folder not in known:
        if not folder or os.path.isdir(folder):
            known[folder] = None
        elif os.path.lexists(folder):
            known[folder] = folder
        else:
            above = os.path.dirname(folder)
            known[folder] = None if above == folder else _obstacle(above, known)
    return known[folder]


def is_writable(folder: Path) -> bool:
    """Whether files can be made and removed in `folder`, or it is not there yet."""
    return not os.path.isdir(folder) or os.access(folder, os.W_OK | os.X_OK)


def refuse_unwritable(folders: Iterable[Path]) -> None:
    """Raise StudyError where one of `folders` is there and nothing can be written into it."""
    closed = [str(path) for path in folders if not is_writable(path)]
    if closed:
        more = f" and {len(closed) - 5} more" if len(closed) > 5 else ""
        raise StudyError(
            f"{', '.join(closed[:5])}{more}: cannot be written; allow it, or work in another folder"
        )


def bring_back(files: Iterable[Path]) -> int:
    """Give files of the future a time before now, in their order; how many there were.

    After a clock is set back, what is made looks older than what it is made of. Those whose time
    cannot be set, as in a folder that cannot be written, are left as they are.
    """
    now = time.time()
    times = {path: time_of for path in files for time_of in _time(path)}
    late = {path: when for path, when in times.items() if when > now + CLOCK_SECONDS}
    span = max(late.values(), default=now) - now
    count = 0
    for path, when in late.items():
        brought = now - WHILE_SECONDS * (1 - (when - now) / span)
        with contextlib.suppress(OSError):
            os.utime(path, (brought, brought))
            count += 1
    return count


def _time(path: Path) -> Iterator[float]:
    try:
        yield path.stat().st_mtime
    except OSError:
        return
