"""What the files that the workflow made were like, so that a later call sees which were altered."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from study.support.files import sha256, write_text


class Manifest:
    """Length, time and checksum of each file, noted in `path` when a call of the workflow ends."""

    def __init__(self, path: Path):
        self.path = path
        self._suspects: dict[str, list[int]] = {}

    def altered(self, files: Iterable[str]) -> Iterator[str]:
        """Those of `files` that exist with another content than noted.

        A file with the length and time that were noted is taken to be as it was, as git does.
        """
        known = self._read()
        for name in files:
            file, noted = Path(name), known.get(name)
            if noted is None or not file.is_file():
                continue
            stamp = _stamp(file)
            if stamp != noted["stamp"] and sha256(file) != noted["sha256"]:
                self._suspects[name] = stamp
                yield name

    def write(self, files: Iterable[str]) -> None:
        """Note those of `files` that exist; one found altered and not made anew stays as noted."""
        known = self._read()
        for name in files:
            file, before = Path(name), known.get(name)
            if not file.is_file():
                continue
            stamp = _stamp(file)
            if stamp == self._suspects.get(name) or (before and stamp == before["stamp"]):
                continue
            known[name] = {"stamp": stamp, "sha256": sha256(file)}
        write_text(self.path, json.dumps(known, indent=1) + "\n")

    def files(self) -> list[Path]:
        """All that was ever noted, in order of name."""
        return sorted(map(Path, self._read()))

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


def _stamp(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]
