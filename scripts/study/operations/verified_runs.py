"""Whether the data and the runs are whole, and agree with what describes them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from study.data.base import CHECKSUMS
from study.operations.checks import CheckedStudy, Finding, other_content, reading, wrong
from study.operations.stored_tables import holds
from study.runs import checkpoint, records
from study.runs.checkpoint import Checkpoint, Target
from study.runs.completeness import described, read_settings, replicates_of
from study.spec.plan import Run
from study.spec.settings import Hyperparameters, identity
from study.spec.tasks import CLASSIFICATION, TASKS
from study.support.files import sha256


def data(study: CheckedStudy) -> Iterator[Finding]:
    """The data set's files against its checksums."""
    sums = study.dataset.sums(study.data)
    for name, sum_ in sums.items():
        path = study.data / name
        yield from other_content(sum_, path, sha256, "is not the data set's, by its checksum")
    lines = {f"{sum_}  {name}" for name, sum_ in sums.items()}
    problem = "has other sums than the data set"
    yield from other_content(lines, study.data / CHECKSUMS, _lines, problem)


def _lines(path: Path) -> set[str]:
    return set(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))


def run(folder: Path, wanted: Run | None, known: Hyperparameters) -> Iterator[Finding]:
    """A run's files against each other, and against the run of the plan that is `wanted`."""
    settings, record = folder / "settings.json", folder / "record.parquet"
    anew = f"remove the folder {folder} and run the workflow again, which trains it anew"
    made = read_settings(folder)
    if made is None:
        yield wrong(settings, "is missing or not what was written")
        return
    damaged = [
        finding
        for name, known in made["files"].items()
        for finding in other_content(known, folder / name, described, "is not what was written")
    ]
    yield from damaged
    path = folder / "state.safetensors"
    with reading(path, anew):
        saved = checkpoint.read_checkpoint(path)
    if not damaged:
        with reading(record):
            made_by = records.read_metadata(record)
            task = TASKS[saved.fingerprint.get("task", CLASSIFICATION.name)]
            same = holds(pq.read_table(record), records.record(folder.name, saved, task))
        if not same:
            yield wrong(record, "does not follow from the saved state beside it")
        with reading(settings):
            consistent = _describes(made, saved, folder.name, made_by)
        if not consistent:
            yield wrong(settings, "does not agree with the files that it describes")
    if wanted:
        yield from _as_wanted(folder, made, saved, wanted, known)
    journal = folder / "journal.jsonl"
    unneeded = f"nothing that was learned depends on it; to be sure, {anew}"
    with reading(journal, unneeded):
        told = _journalled(journal)
    if not told >= _trained(saved):
        yield wrong(journal, "does not tell of all epochs in the saved state", unneeded)


def _as_wanted(
    folder: Path, made: dict, saved: Checkpoint, wanted: Run, hyperparameters: Hyperparameters
) -> Iterator[Finding]:
    """Whether a run has the settings, seeds and epochs that the study wants of it."""
    settings = folder / "settings.json"
    with reading(settings):
        # A setting that is newer than the file stands at its neutral default there.
        known = made["settings"].keys() <= wanted.settings.keys()
        same = known and identity(hyperparameters.complete(made["settings"])) == wanted.settings
    if not same:
        yield wrong(settings, "has other settings than the study")
    lacking = Target(wanted.seeds, wanted.epochs, wanted.kept_epochs).open_seeds(saved)
    if lacking:
        seeds = ", ".join(map(str, lacking))
        yield wrong(folder, f"lacks epochs of the seeds {seeds}", "run the workflow again")


def _describes(made: dict, saved: Checkpoint, run: str, made_by: dict) -> bool:
    """Whether settings.json agrees with the saved state and with what its record says made it."""
    devices = sorted({replicate.device for replicate in saved.replicates.values()})
    request = Target(**made["request"])
    return (
        made["run"] == run
        and made["fingerprint"] == saved.fingerprint
        and made["devices"] == devices
        and made["replicates"] == replicates_of(saved)
        and all(made[key] == value for key, value in made_by.items())
        and len(set(request.seeds)) == len(request.seeds)
        and not request.open_seeds(saved)
    )


def _journalled(path: Path) -> set[tuple[int, int]]:
    """Every seed and epoch that the journal tells of."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {(seed, entry["epoch"]) for entry in map(json.loads, lines) for seed in entry["seeds"]}


def _trained(saved: Checkpoint) -> set[tuple[int, int]]:
    return {
        (seed, epoch)
        for seed, replicate in saved.replicates.items()
        for epoch in range(1, replicate.epochs + 1)
    }
