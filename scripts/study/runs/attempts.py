"""What became of the attempt before: a process that is killed cannot say it, the next one can.

While a process trains a run, attempt.json in its folder says which, and where; it stays behind
where the process was stopped or killed.
"""

import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from study.runs import failures
from study.support import control_group, slurm
from study.support.errors import printable
from study.support.files import read_own, write_text

NAME = "attempt.json"

# Who is killed cannot say why; these are the reasons.
KILLED_BY = "by kill -9, for want of memory, or with the machine"
KILLED_BY_KERNEL = "most likely for want of memory: its control group came to its limit"

# What ended a SLURM job, by SLURM's own word for it.
ENDS = {
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "the job was cancelled",
    "DEADLINE": "the job came to its deadline",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it took more memory than the job had asked for",
    "PREEMPTED": "the job was pre-empted",
    "TIMEOUT": "the job came to its time limit",
}


def begin(folder: Path) -> str | None:
    """Note that this process trains the run; say how the attempt before it was ended, if it was."""
    before = _end_before(folder)
    kills = control_group.kills()
    attempt = {
        "host": platform.node(),
        "pid": os.getpid(),
        "slurm": slurm.allocation(),
        "kills": kills and asdict(kills),
    }
    write_text(folder / NAME, json.dumps(attempt, indent=1) + "\n")
    failures.forget(folder)
    return before


def end(folder: Path) -> None:
    """Take the note away, after a success or an error that tells its own reason."""
    (folder / NAME).unlink(missing_ok=True)


def killed_by(folder: Path) -> str:
    """Why the attempt that `folder` tells of was killed, as far as can be known on its machine."""
    try:
        kills = json.loads(read_own(folder / NAME) or b"null")["kills"]
        now = control_group.count_in(Path(kills["file"]))
        if now is not None and now > kills["count"]:
            return KILLED_BY_KERNEL
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return KILLED_BY


def _end_before(folder: Path) -> str | None:
    try:
        before = json.loads(read_own(folder / NAME) or b"null")
        told = failures.kind_left(folder) == failures.STOPPED
        end = _end(before, told, killed_by(folder))
        return printable(f"the attempt before was {end}")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _end(before: Mapping, told: bool, killed_by: str) -> str:
    """How an attempt ended that was `told` to stop, or was killed without a word."""
    ended = "told to stop" if told else "killed without a word"
    job = before["slurm"].get("SLURM_JOB_ID")
    if job is not None and not re.fullmatch(r"[0-9_.+]{1,40}", job):
        raise ValueError
    if job is None:
        reason = "" if told else f" ({killed_by})"
        return f"{ended}, process {before['pid']} on {before['host']}{reason}"
    place = f"SLURM job {job} on {before['slurm'].get('SLURMD_NODENAME', before['host'])}"
    if job == os.environ.get("SLURM_JOB_ID"):
        # A job that waits or runs again keeps its number and no word of why.
        reason = "it was pre-empted or requeued" if told else "its node failed"
        return f"{ended}, {place}: {reason}, and SLURM started the job again"
    state = slurm.state(job)
    return f"{ended}, {place}: {ENDS.get(state, 'SLURM does not know why')} ({state or '?'})"
