"""Whether the results of a study are those of a fresh one, whatever way led there.

What is derived is compared byte by byte with what a new folder makes of the same runs; the runs
are compared with ones that were trained in one go. So a time in a record, which no two trainings
share, is the same on both sides.
"""

import functools
import itertools
import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from safetensors.numpy import load_file

from small_study import STUDY, Result, Study

DROPOUTS = [0.0, 0.2, 0.5]
RATES = [0.05, 0.1]
EPOCHS = [1, 2, 3]
# The study's, and those that an experiment may add.
SEEDS = [0, 1, 2, 3]
HELD_OUT = {"from": "train", "size": 120, "seed": 0}

# What is no result: what a call leaves for the next, what it printed, and the runs themselves.
APART = ("runs", "data", "logs", "plans", "receipts", "config.json", "manifest.json")


def derived(results: Path) -> dict[str, bytes]:
    """All that is made from runs, by path; what a job printed for a trial is no result either."""
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
        and path.relative_to(results).parts[0] not in APART
        and path.suffix != ".log"
    }


def moved(study: Study, folder: Path) -> Study:
    """The study's config, data and runs in a new folder, and nothing that was made from them."""
    folder.mkdir(parents=True)
    shutil.copytree(study.folder / "data", folder / "data")
    shutil.copy(study.folder / "study.yaml", folder)
    shutil.copytree(study.results / "runs", folder / "results" / "runs")
    return Study(folder, study.snakefile)


def assert_as_fresh(
    study: Study, allow_trained_twice: int = 0, begun_as: Study | None = None
) -> None:
    """After a report: its files are those of a fresh study, and no epoch was trained twice.

    A kill may have lost epochs since the last saving: `allow_trained_twice` says how often.
    `begun_as` is the fresh study that this one is a copy of, where the config is that one's again.
    """
    if begun_as:
        config = (study.folder / "study.yaml").read_bytes()
        assert config == (begun_as.folder / "study.yaml").read_bytes()
        expected, found = derived(begun_as.results), derived(study.results)
    else:
        with tempfile.TemporaryDirectory() as folder:
            fresh = moved(study, Path(folder) / "fresh")
            before = fresh.trained()
            fresh.ok()
            assert fresh.trained() == before
            expected, found = derived(fresh.results), derived(study.results)
    missing = sorted(expected.keys() - found.keys())
    other = sorted(name for name in expected.keys() & found.keys() if expected[name] != found[name])
    assert not missing + other, f"missing: {missing}; not as a fresh study's: {other}"
    assert_runs_are_right(study)

    times = Counter((run, epoch, seed) for run, epoch, seeds in study.trained() for seed in seeds)
    again = {epoch: count for epoch, count in times.items() if count > 1 + allow_trained_twice}
    assert not {name: count for name, count in again.items() if name[0] not in shortened(study)}


def shortened(study: Study) -> set[str]:
    """Runs of final models: at fewer epochs than they had, these are trained again."""
    plan = json.loads((study.results / "plan.json").read_text(encoding="utf-8"))
    return finals(plan) | set(getattr(study, "finals", ()))


def finals(plan: dict) -> set[str]:
    """The run of a plan's final model, if it has one."""
    return {plan["final"]["run"]} if plan["final"] else set()


def assert_runs_are_right(study: Study) -> None:
    """What the plan asks of each run is what training in one go gives, to the byte."""
    plan = json.loads((study.results / "plan.json").read_text(encoding="utf-8"))
    truth = in_one_go(json.dumps(plan["validation"]))
    for run in plan["runs"]:
        name = run["run"].removeprefix("final-")
        rows, weights = content(study.results / "runs" / run["run"])
        true_rows, true_weights = truth[name]
        for seed, epoch in itertools.product(run["seeds"], range(1, run["epochs"] + 1)):
            assert rows[seed, epoch] == true_rows[seed, epoch], (name, seed, epoch)
        for key, tensor in weights.items():
            assert np.array_equal(tensor, true_weights[key]), (name, key)


def content(folder: Path) -> tuple[dict, dict]:
    """A run's measures by seed and epoch, and its weights by seed, epoch and name."""
    table = pq.read_table(folder / "record.parquet").drop_columns(["seconds", "run"]).to_pylist()
    rows = {(row["seed"], row["epoch"]): row for row in table}
    last = Counter(seed for seed, _ in rows)
    weights = {}
    for name, tensor in load_file(folder / "weights.safetensors").items():
        seed, *epoch, rest = name.removeprefix("seed_").split(".", 2 if ".epoch_" in name else 1)
        at = int(epoch[0].removeprefix("epoch_")) if epoch else last[int(seed)]
        weights[int(seed), at, rest] = tensor
    return rows, weights


@functools.cache
def in_one_go(validation: str) -> dict[str, tuple[dict, dict]]:
    """The content of every run that a study here may ask for, with the weights of each epoch."""
    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder) / "whole")
        # `final: best` keeps the weights of all epochs that are asked for.
        study.configure(
            data=STUDY["data"] | {"validation": json.loads(validation)},
            seeds=SEEDS,
            experiments={
                "all": {"vary": {"dropout": DROPOUTS, "learning_rate": RATES, "epochs": EPOCHS}}
            },
            final="best",
        )
        study.ok("metrics")
        return {path.name: content(path) for path in study.results.glob("runs/*")}


def report(study: Study, *words: str) -> Result:
    """Make the report, and remember the runs of final models on the way."""
    result = study.ok(*words)
    note_final(study)
    return result


def note_final(study: Study) -> None:
    """Remember the final model's run of the plan as it is now."""
    path = study.results / "plan.json"
    if path.is_file():
        study.finals = getattr(study, "finals", set()) | finals(json.loads(path.read_text()))
