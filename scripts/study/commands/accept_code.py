"""Take finished runs for ones of today's training code, where only comments or layout changed.

The training code is part of what a run's numbers depend on, byte for byte, so that an edited
comment would train everything anew. This compares what the code says without comments, docstrings
and layout with what it said when each run was trained, and where that is the same, writes today's
digest into the run's saved state. The next call of the workflow then trains nothing. Runs of code
that says something else are left as they are.
"""

import argparse
import sys
from pathlib import Path

from study.commands import options
from study.runs import checkpoint, fingerprint
from study.support.errors import StudyError
from study.support.locks import run_lock


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--results")
    options.add(parser, "--yes", help="do not ask")


def run(args: argparse.Namespace) -> None:
    harmless, other = [], 0
    for path in sorted(args.results.glob("runs/*/state.safetensors")):
        try:
            saved = checkpoint.read_checkpoint(path)
        except checkpoint.DamagedStateError as error:
            print(f"{error}; left as it is")
            continue
        trained = _trained(saved)
        if saved.fingerprint["code"] == fingerprint.training_code(*trained):
            continue
        if saved.syntax == fingerprint.training_syntax(*trained):
            print(f"{path.parent.name}: only comments or layout of the training code changed")
            harmless.append(path)
        else:
            print(f"{path.parent.name}: trained by code that says something else, left as it is")
            other += 1
    accepted = harmless if harmless and (args.yes or asked(len(harmless))) else []
    for path in accepted:
        accept(path)
    print(f"{len(accepted)} runs accepted, {other} would be trained anew")


def _trained(saved: checkpoint.Checkpoint) -> tuple[str, str]:
    """The kind of model and the task: a file's and any but classification are in fingerprints."""
    model = "module" if "model" in saved.fingerprint else "mlp"
    return model, saved.fingerprint.get("task", "classification")


def asked(count: int) -> bool:
    if not sys.stdin.isatty():
        raise StudyError("nobody is there to be asked; say --yes to accept them")
    return input(f"Take {count} runs for ones of today's code? [y/N] ").strip().lower() == "y"


def accept(path: Path) -> None:
    with run_lock(path.parent) as free:
        if not free:
            raise StudyError(f"{path.parent}: is being trained; wait for it")
        saved = checkpoint.read_checkpoint(path)
        saved.fingerprint["code"] = fingerprint.training_code(*_trained(saved))
        checkpoint.write(path, saved)
        # It describes the run by the old digest; the workflow writes it anew.
        (path.parent / "settings.json").unlink(missing_ok=True)
