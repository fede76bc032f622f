"""The kind of a run's failure, left beside it: what to try again, and what not."""

import errno
import json
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from study.runs import fingerprint
from study.support.errors import StudyError, printable
from study.support.files import read_own, write_text

NAME = "failure.json"

STOPPED, MEMORY, DISK, DEVICE, INPUT, BUG = "stopped", "memory", "disk", "device", "input", "bug"

KINDS = (STOPPED, MEMORY, DISK, DEVICE, INPUT, BUG)

# torch tells of these by a RuntimeError, in several wordings.
_MEMORY = ("out of memory", "can't allocate memory", "ALLOC_FAILED", "std::bad_alloc")

# Loading a library and starting a thread take address space, which may be limited.
_NO_SPACE = (
    "failed to map segment",
    "cannot allocate memory",
    "cannot map",
    "can't start new thread",
    "cannot create executable memory",
)
_DEVICE = ("CUDA error", "CUDA driver", "NVIDIA driver", "cuDNN", "CUBLAS")


def kind_of(error: BaseException) -> str:
    """What another attempt can mend: all but `input`, which a person mends, and `bug`, ours."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return STOPPED
    if isinstance(error, StudyError):
        return INPUT
    if isinstance(error, MemoryError) or _lacks_space(error):
        return MEMORY
    if isinstance(error, ImportError):
        return INPUT
    if isinstance(error, RuntimeError):
        text = str(error)
        if any(sign in text for sign in _MEMORY):
            return MEMORY
        if any(sign in text for sign in _DEVICE):
            return DEVICE
    if isinstance(error, OSError):
        return MEMORY if error.errno == errno.ENOMEM else DISK
    return BUG


def _lacks_space(error: BaseException) -> bool:
    """Whether a library could not be loaded, or a thread not be started, for want of memory."""
    told: BaseException | None = error
    while told is not None:
        kinds = ImportError | OSError | RuntimeError
        if isinstance(told, kinds) and any(sign in str(told).lower() for sign in _NO_SPACE):
            return True
        told = told.__cause__ or told.__context__
    return False


@dataclass(frozen=True)
class Failure:
    """What failure.json holds: of which of KINDS it is, and what program and torch (`code`) failed.

    The message may have several lines. The traceback is for people: `read_failure` leaves it out.
    """

    kind: str
    message: str
    code: str | None = None
    traceback: Sequence[str] = ()


def note(folder: Path, error: BaseException, program: Path) -> None:
    """Leave failure.json in `folder`, with what `program` and torch were when it failed."""
    message = f"{type(error).__name__}: {error}"
    lines = traceback.format_exception(error)
    failure = Failure(kind_of(error), message, _code(program), lines)
    write_text(folder / NAME, json.dumps(asdict(failure), indent=1) + "\n")


def kind_left(folder: Path) -> str | None:
    """The kind of the failure that `folder` tells of, None where it tells of none."""
    failure = read_failure(folder)
    return failure.kind if failure else None


def read_failure(folder: Path) -> Failure | None:
    """What `note` left in `folder`; None where it left nothing, or nothing that can be read."""
    try:
        found = json.loads(read_own(folder / NAME) or b"null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("kind") not in KINDS:
        return None
    message = found.get("message")
    if not isinstance(message, str) or not message.strip():
        return None
    return Failure(
        found["kind"], "\n".join(map(printable, message.splitlines())), found.get("code")
    )


def refuse_known_bug(folder: Path, program: Path) -> None:
    """Raise StudyError where this very code has failed here before by a bug of its own."""
    failure = read_failure(folder)
    if failure and failure.kind == BUG and failure.code == _code(program):
        raise StudyError(
            f"{failure.message}\nThis is a bug and would come again: {folder / NAME} has the "
            "details; remove that file to try all the same"
        )


def _code(program: Path) -> str:
    return f"{fingerprint.program(program)} with torch {version('torch')}"


def forget(folder: Path) -> None:
    """Remove failure.json: the run is being tried again."""
    (folder / NAME).unlink(missing_ok=True)
