"""What the files that the workflow made were like, so that a later call sees which were altered."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from study.files import write_text
from study.standing import sha256


def write(path: Path, files: Iterable[str]) -> None:
    """Note length, time and checksum of those of `files` that exist."""
    known = _read(path)
    noted = {}
    for name in files:
        file = Path(name)
        if file.is_file():
            stamp = _stamp(file)
            before = known.get(name)
            unchanged = before is not None and before["stamp"] == stamp
            digest = before["sha256"] if unchanged else sha256(file)
            noted[name] = {"stamp": stamp, "sha256": digest}
    write_text(path, json.dumps(noted, indent=1) + "\n")


def altered(path: Path, files: Iterable[str]) -> Iterator[str]:
    """Those of `files` that exist with another content than noted.

    A file with the length and time that were noted is taken to be as it was, as git does.
    """
    known = _read(path)
    for name in files:
        file, noted = Path(name), known.get(name)
        touched = noted and file.is_file() and noted["stamp"] != _stamp(file)
        if touched and sha256(file) != noted["sha256"]:
            yield name


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _read(path: Path) -> dict[str, dict]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
