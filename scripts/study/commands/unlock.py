"""Remove Snakemake's lock on a folder when no Snakemake works there any more.

Snakemake leaves its lock behind when it is killed, and refuses to start until `--unlock`. Only
processes of this machine are seen: do not use it in a folder that several machines share.
"""

import argparse
import shutil
from pathlib import Path

import psutil

from study.operations.job_logs import LOCKS


def snakemakes() -> dict[int, str | None]:
    """Where each process of this machine works that may be a Snakemake; None if it hides that."""
    return {
        process.info["pid"]: process.info["cwd"]
        for process in psutil.process_iter(["pid", "cmdline", "cwd"], ad_value=None)
        if any(Path(word).name == "snakemake" for word in process.info["cmdline"] or [])
    }


def is_locked(folder: Path) -> bool:
    """Whether a Snakemake that works in `folder`, or did until it was killed, locked it."""
    return any((folder / LOCKS).glob("*"))


def is_at_work(folder: Path) -> bool:
    """Whether a Snakemake works in `folder`; one that hides where may be what locked it."""
    places = snakemakes().values()
    return str(folder.resolve()) in places or (None in places and is_locked(folder))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=".", help="the working directory")


def run(args: argparse.Namespace) -> None:
    if is_locked(args.folder) and not is_at_work(args.folder):
        print("unlocking: the Snakemake that held the lock is gone")
        shutil.rmtree(args.folder / LOCKS)
