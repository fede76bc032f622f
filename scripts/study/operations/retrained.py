"""A replicate of a short run, trained again: its epochs are the same, bit for bit."""

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from study.data import datasets
from study.operations import jobs
from study.operations.checks import CheckedStudy, Finding, UnableError, wrong
from study.operations.own_commands import failure
from study.runs import checkpoint, fingerprint, libraries
from study.runs.checkpoint import Replicate
from study.spec.plan import Run

# Of the runs that are trained fastest, one of so many is trained again, for about so many seconds.
FASTEST, RETRAINING = 5, 60

# What must come out the same: all measures before the time taken, which is the last.
EXACT = slice(-1)


def chosen(intact: Sequence[Run], chooser: random.Random) -> tuple[Run, int]:
    """One of the shortest of the `intact` runs, and one of its seeds."""
    fastest = sorted(
        intact, key=lambda run: jobs.seconds(replace(run, seeds=run.seeds[:1]), jobs.ASSUMED)
    )
    run = chooser.choice(fastest[:FASTEST])
    return run, chooser.choice(run.seeds)


def trained_again(study: CheckedStudy, run: Run, seed: int) -> Iterator[Finding]:
    """The replicate of `seed` against its training here; UnableError where none can tell."""
    folder = study.runs / run.run
    before = _trained(study, run, seed)
    seconds = float(np.median(before.measures[:, -1]))
    epochs = max(1, min(before.epochs, int(RETRAINING / max(seconds, 1e-3))))
    after = _train(study, run, seed, epochs, libraries.of(before.arithmetic))
    if after.device != before.device:
        raise UnableError(
            f"nothing to compare: it was trained on {before.device}, this is {after.device}"
        )
    if before.arithmetic not in ("", after.arithmetic):
        raise UnableError(
            f"nothing to compare: it was trained by other arithmetic ({before.arithmetic}, "
            f"here {after.arithmetic})"
        )
    epoch = _first_difference(before, after)
    if epoch:
        yield wrong(
            folder / "record.parquet",
            f"seed {seed}, trained again, is another from epoch {epoch} on",
            f"remove the folder {folder} and run the workflow again",
        )


def _trained(study: CheckedStudy, run: Run, seed: int) -> Replicate:
    """The replicate as it is there; UnableError where this code or device would make another."""
    saved = checkpoint.read_checkpoint(study.runs / run.run / "state.safetensors")
    today = fingerprint.of_run(run.settings, study.learning)
    other = fingerprint.differing(saved.fingerprint, today)
    if other:
        raise UnableError(f"not trained again: it was made with other {' and '.join(other)}")
    before = saved.replicates[seed]
    if not before.device.startswith("cpu"):
        raise UnableError(
            f"not trained again: on {before.device} a stack of other seeds may differ in the "
            "last bit"
        )
    return before


def _train(study: CheckedStudy, run: Run, seed: int, epochs: int, library: str) -> Replicate:
    """The replicate after so many epochs of training by `library`, from its beginning."""
    with tempfile.TemporaryDirectory() as temporary:
        words = ["--settings", json.dumps(run.settings)]
        words += ["--seeds", str(seed), "--epochs", str(epochs), "--device", study.plan.device]
        words += ["--model", study.plan.model.word]
        words += ["--arithmetic", library]
        words += ["--dataset", datasets.as_word(study.plan.dataset), "--data", str(study.data)]
        words += ["--validation", json.dumps(study.plan.validation)]
        again = Path(temporary) / run.run
        failed = failure("train", [*words, "--output", str(again)], show=True)
        if failed:
            raise UnableError(f"not trained again: {failed}")
        return checkpoint.read_checkpoint(again / "state.safetensors").replicates[seed]


def _first_difference(before: Replicate, after: Replicate) -> int | None:
    """The first epoch that came out otherwise, the weights counting for the last."""
    for index, (old, new) in enumerate(zip(before.measures, after.measures, strict=False)):
        if old[EXACT].tobytes() != new[EXACT].tobytes():
            return index + 1
    last = before.epochs
    if after.epochs == last and not before.diverged:
        pairs = [(before.tensors[name], after.tensors.get(name)) for name in before.tensors]
        if any(new is None or old.tobytes() != new.tobytes() for old, new in pairs):
            return last
    return None
