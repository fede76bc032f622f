"""What lies in results/ and belongs to nothing that the study asks for any more."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.data.datasets import describe
from study.operations.plan_table import differences, replicates_in_words, settings_in_words
from study.runs import attempts, checkpoint, failures
from study.runs.completeness import OUTPUTS, replicates_of
from study.spec import choice
from study.spec.plan import Plan, run_name
from study.support import receipts
from study.support.locks import run_lock

RUN_NAME = re.compile(r"[A-Za-z0-9._-]+-[0-9a-f]{12}")

# By one of these a run's folder is known.
MARKS = ("settings.json", "state.safetensors")

# All that training leaves in it, beside temporary files, which begin with a point.
RUN_FILES = {
    *OUTPUTS,
    *MARKS,
    attempts.NAME,
    failures.NAME,
    "journal.jsonl",
    "train.log",
    "training.log",
    "benchmark.tsv",
}


# Kinds of parts that a search leaves (spec/shares.py); steps, also experiments that add seeds.
OF_SEARCHES = ("step", "trials", "search")


@dataclass(frozen=True)
class Leftover:
    """A run's folder or another file that nobody asks for, with its size in bytes.

    `text` says what it is; `kept` why it must stay all the same, if it must.
    """

    path: Path
    size: int
    text: str
    kept: str = ""


def run_folders(runs: Path) -> Iterator[Path]:
    """The folders in `runs` that are those of runs, by name."""
    for folder in sorted(runs.glob("*")):
        named = RUN_NAME.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
        if named and any((folder / mark).is_file() for mark in MARKS):
            yield folder


def leftovers(plan: Plan, results: Path) -> list[Leftover]:
    """What `plan` does not ask for: runs first, then the figures and logs of experiments.

    While results have not chosen the final model, the one that they chose last may be it again: its
    run and its figures stay.
    """
    wanted = {run.run for run in plan.runs}
    if _is_open(plan):
        wanted |= _last_final(plan, results)
    found = [
        _run(folder, plan.baseline)
        for folder in run_folders(results / "runs")
        if folder.name not in wanted
    ]
    for path in _of_experiments(plan, results):
        found.append(Leftover(path, path.stat().st_size, "of what is no longer asked for"))
    return found


def _is_open(plan: Plan) -> bool:
    """Whether there will be a final model, and it is not known yet which."""
    return plan.chooses_final and plan.final is None


def _last_final(plan: Plan, results: Path) -> set[str]:
    """The runs of the final model that was chosen before, by the plan and the choice of then."""
    found = set()
    # What cannot be read tells of none.
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        found.add(json.loads((results / "plan.json").read_bytes())["final"]["run"])
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError):
        chosen = choice.read_choice(results / choice.NAME)
        settings = plan.hyperparameters.complete({**plan.baseline, **chosen.settings})
        dataset = describe(plan.dataset).name
        run = run_name(settings, dataset, plan.validation, plan.model)
        found |= {run, f"final-{run}"}
    return found


def _run(folder: Path, baseline: Mapping[str, Any]) -> Leftover:
    files = [path for path in folder.rglob("*") if path.is_file()]
    foreign = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_dir() or not (path.name in RUN_FILES or path.name.startswith("."))
    )
    kept = f"holds {', '.join(foreign)}, which is none of ours" if foreign else ""
    return Leftover(
        folder, sum(path.stat().st_size for path in files), _text(folder, baseline), kept
    )


def _text(folder: Path, baseline: Mapping[str, Any]) -> str:
    """The run's settings, and seeds x epochs that it has."""
    try:
        made = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        settings = settings_in_words(differences(made["settings"], baseline))
        return f"{settings}; {replicates_in_words(made['replicates'])}"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    try:
        saved = checkpoint.read_checkpoint(folder / "state.safetensors")
        return f"unfinished; {replicates_in_words(replicates_of(saved))}"
    except (OSError, checkpoint.DamagedStateError):
        return "damaged"


def _of_experiments(plan: Plan, results: Path) -> Iterator[Path]:
    """What experiments and searches have left that are gone; receipts tell that we have made it."""
    parts = {f"experiment.{experiment.name}" for experiment in plan.experiments}
    asked = {(kind, search.name) for kind in OF_SEARCHES for search in plan.searches}
    asked |= {("step", each.name) for each in plan.stepwise}
    has_no_final = plan.final is None and not _is_open(plan)
    parts |= set() if has_no_final else {"final"}
    for path in sorted((results / receipts.RECEIPTS).glob("*.json")):
        kind, *name = path.stem.split(".")
        made = receipts.read_receipt(path)
        is_asked_for = path.stem in parts or (kind, *name[:1]) in asked
        if kind not in ("experiment", "final", *OF_SEARCHES) or is_asked_for or made is None:
            continue
        files = [results / Path(name).relative_to("results") for name in made.outputs]
        yield from sorted(filter(Path.is_file, [*files, path]))
    log = results / "logs" / "draw_final.log"
    if has_no_final and log.is_file():
        yield log


def remove(leftover: Leftover) -> str:
    """Remove it, or say why it is left."""
    if leftover.kept:
        return leftover.kept
    if not leftover.path.is_dir():
        leftover.path.unlink(missing_ok=True)
        return ""
    with run_lock(leftover.path) as free:
        if not free:
            return "is being trained"
        shutil.rmtree(leftover.path)
        return ""
