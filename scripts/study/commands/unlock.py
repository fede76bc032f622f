"""Remove Snakemake's lock on a folder when no Snakemake works there any more.

Snakemake leaves its lock behind when it is killed, and refuses to start until `--unlock`. Only
processes of this machine are seen: do not use it in a folder that several machines share.
"""

import argparse
import shutil
from pathlib import Path

import psutil


def snakemakes() -> dict[int, str | None]:
    """Where each process of this machine works that may be a Snakemake; None if it hides that."""
    return {
        process.info["pid"]: process.info["cwd"]
        for process in psutil.process_iter(["pid", "cmdline", "cwd"], ad_value=None)
        if any(Path(word).name == "snakemake" for word in process.info["cmdline"] or [])
    }


def owners(folder: Path) -> list[int]:
    """Processes that may be a Snakemake working in `folder`; one that hides its folder may be."""
    return [pid for pid, cwd in snakemakes().items() if cwd in (None, str(folder.resolve()))]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, nargs="?", default=".", help="the working directory")


def run(args: argparse.Namespace) -> None:
    locks = args.folder / ".snakemake" / "locks"
    if any(locks.glob("*")) and not owners(args.folder):
        print("unlocking: the Snakemake that held the lock is gone")
        shutil.rmtree(locks)
