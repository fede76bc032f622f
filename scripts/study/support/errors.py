"""Errors that a person can mend, told in one message."""

import functools
import os
import sys
from collections.abc import Callable


class StudyError(Exception):
    """What is wrong, where (file and key), and what to do about it, in one message."""


def report_errors(main: Callable[[], None]) -> Callable[[], None]:
    """Make a program end with one line on stderr and exit code 1, where a person can mend it.

    An `OSError` with an errno (disk full, no permission) is told the same way, naming the file.
    """

    @functools.wraps(main)
    def program() -> None:
        try:
            main()
        except StudyError as error:
            sys.exit(f"error: {error}")
        except OSError as error:
            if error.errno is None:
                raise
            place = f"{error.filename}: " if error.filename else ""
            sys.exit(f"error: {place}{os.strerror(error.errno)}")

    return program
