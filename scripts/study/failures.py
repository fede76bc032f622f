"""The kind of a run's failure, left beside it: what to try again, and what not."""

import errno
import json
import traceback
from pathlib import Path

from study.errors import StudyError
from study.files import write_text

NAME = "failure.json"

# What another attempt can mend, told from the exception.
STOPPED, MEMORY, DISK, INPUT, BUG = "stopped", "memory", "disk", "input", "bug"


def kind_of(error: BaseException) -> str:
    """`stopped`, `memory`, `disk`, `input` (a person mends it) or `bug` (nobody but us)."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return STOPPED
    if isinstance(error, StudyError):
        return INPUT
    # torch tells of exhausted memory by a RuntimeError, in several wordings.
    if isinstance(error, MemoryError):
        return MEMORY
    if isinstance(error, RuntimeError) and "memory" in str(error).lower():
        return MEMORY
    if isinstance(error, OSError):
        return MEMORY if error.errno == errno.ENOMEM else DISK
    return BUG


def note(folder: Path, error: BaseException, program: str) -> None:
    """Leave failure.json in `folder`; `program` is the digest of the code that failed."""
    failure = {
        "kind": kind_of(error),
        "message": f"{type(error).__name__}: {error}",
        "program": program,
        "traceback": traceback.format_exception(error),
    }
    write_text(folder / NAME, json.dumps(failure, indent=1) + "\n")


def refuse_known_bug(folder: Path, program: str) -> None:
    """Raise StudyError where this very code has failed here before by a bug of its own."""
    try:
        failure = json.loads((folder / NAME).read_text(encoding="utf-8"))
        known = failure["kind"] == BUG and failure["program"] == program
        message = failure["message"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if known:
        raise StudyError(
            f"{message}\nThis is a bug and would come again: {folder / NAME} has the details; "
            "remove that file to try all the same"
        )


def forget(folder: Path) -> None:
    """Remove failure.json after a success."""
    (folder / NAME).unlink(missing_ok=True)
