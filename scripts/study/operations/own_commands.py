"""The study's commands, called by one of them."""

import os
import subprocess
import sys
from collections.abc import Sequence

from study.runs.fingerprint import LIBRARY

# The program `study`, as this process knows it, whatever lies in the current folder.
STUDY = [sys.executable, "-P", "-m", "study.commands.command_line"]


def failure(command: str, arguments: Sequence[str], show: bool = False) -> str:
    """Run one of the study's commands and say how it failed, if it did.

    With `show`, what it prints is this program's progress.
    """
    places = (str(LIBRARY.parent), os.environ.get("PYTHONPATH"))
    done = subprocess.run(
        [*STUDY, command, *arguments],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, places))},
        stdout=sys.stderr if show else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if not done.returncode:
        return ""
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return f"study {command} fails: {lines[-1]}"
