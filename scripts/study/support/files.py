"""Files that are whole or absent."""

import contextlib
import errno
import fcntl
import hashlib
import itertools
import json
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save_file

from study.support.errors import StudyError

Result = TypeVar("Result")

# What a read ends with that may go well a moment later, as where a disk of the network is busy.
PASSING = {errno.EIO, errno.EAGAIN, errno.EINTR, errno.ESTALE, errno.ETIMEDOUT}
# A note, such as who trains a run or how it failed.
MOST_OWN_BYTES = 1_000_000

PAUSES = (0.05, 0.2, 0.5)  # seconds before each further try


# What is in the way of a file keeps its name with this behind it.
ASIDE = ".in-the-way"


def move_aside(path: Path) -> Path:
    """Rename what stands at `path` where a file or a run's folder belongs; its new path.

    Nothing is lost: a person looks at it and removes it.
    """
    for number in itertools.count(1):
        aside = path.with_name(f"{path.name}{ASIDE}{'' if number == 1 else f'-{number}'}")
        if not os.path.lexists(aside):
            return path.rename(aside)
    raise AssertionError


def read_own(path: Path, most: int = MOST_OWN_BYTES, end: bool = False) -> bytes | None:
    """The content of a file of our own making; None where there is none, or another thing.

    That is its first `most` bytes, or its last ones (`end`). A link is not followed, and what is no
    plain file not waited for.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            return None
        if end:
            os.lseek(handle, max(0, status.st_size - most), os.SEEK_SET)
        return os.read(handle, most)
    except OSError:
        return None
    finally:
        os.close(handle)


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside `path` and move it into place when the block succeeds.

    The temporary name keeps the suffix of `path`, which libraries read the format from. The
    content is flushed to disk before the move, so that a power cut leaves the old file or the
    new one. When the block fails, the temporary file is removed and `path` stays as it was; those
    of processes that were killed are removed by the next one that writes to `path`.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = _temporary(path)
    try:
        yield temporary
        # Temporary files are their owner's alone; this one gets what any new file would have.
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as content:
            os.fsync(content.fileno())
        if path.is_dir() and not path.is_symlink():
            # Told of `path`, which a person knows, and not of the temporary file.
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)


def _temporary(path: Path) -> tuple[int, Path]:
    """A new temporary file beside `path`, and a handle of it that is locked while it is written."""
    mark = re.compile(rf"\.{re.escape(path.stem)}-\w{{8}}{re.escape(path.suffix)}")
    for left in [each for each in path.parent.iterdir() if mark.fullmatch(each.name)]:
        # One that can be locked is nobody's any more.
        with contextlib.suppress(OSError), left.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    while True:
        handle, name = tempfile.mkstemp(
            dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix
        )
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another process may have taken it for one that was left, in the moment before.
        if os.path.exists(name):
            return handle, Path(name)
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def save_tensors(
    path: str | os.PathLike[str],
    tensors: dict[str, np.ndarray],
    metadata: dict[str, str] | None = None,
) -> None:
    """Write a safetensors file, atomically; OSError where there is no room for it."""
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from None


def checksum(description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> str:
    """A checksum over all that a safetensors file holds, what its metadata say included."""
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tensor.shape}".encode())
        digest.update(np.ascontiguousarray(tensor).data)
    return digest.hexdigest()


def read_bytes(path: str | os.PathLike[str], most: int = -1) -> bytes:
    """The content of a file, or its first `most` bytes; tried again where the disk fails."""

    def read() -> bytes:
        with Path(path).open("rb") as file:
            return file.read(most)

    return tried_again(read, path)


def read_text(path: str | os.PathLike[str]) -> str:
    """The content of a file in UTF-8; tried again where the disk fails."""
    return read_bytes(path).decode("utf-8")


def sha256(path: str | os.PathLike[str]) -> str:
    """The file's checksum, 64 hexadecimal digits; tried again where the disk fails."""

    def read() -> str:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    return tried_again(read, path)


def tried_again(read: Callable[[], Result], path: str | os.PathLike[str]) -> Result:
    """What `read` returns; a failure that may pass is tried again, then told as a StudyError.

    It must not be taken for a file that is not there: what it holds would be made anew.
    """
    pauses = iter(PAUSES)
    while True:
        try:
            return read()
        except OSError as error:
            if error.errno not in PASSING:
                raise
            pause = next(pauses, None)
            if pause is None:
                text = f"{path}: cannot be read, tried {len(PAUSES) + 1} times: {error.strerror}"
                raise StudyError(f"{text}; look at the disk and run again") from None
            time.sleep(pause)


def link(path: Path, folder: Path) -> None:
    """Make `path` a link to `folder`, which is made; StudyError where something is in the way."""
    folder.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() and path.resolve() == folder.resolve():
        return
    try:
        path.symlink_to(Path(os.path.relpath(folder, path.parent)))
    except FileExistsError:
        raise StudyError(
            f"{path}: is in the way of a link to {folder}; move it away, or work in another folder"
        ) from None


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` in UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
