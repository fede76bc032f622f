"""A searched study that was never trained: its plan, trials and metrics, as results/ has them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from study.results.metrics import settings_columns
from study.runs import records
from study.search import steps, trials
from study.spec import config, settings
from study.spec.models import MLP
from study.spec.plan import Plan, run_name, runs_of
from study.spec.resolution import resolve
from study.spec.searches import Search, Taken, Trial, path_of_trials
from study.spec.settings import is_used
from study.spec.tasks import CLASSIFICATION

SPACE = {
    "learning_rate": {"low": 0.0001, "high": 1.0, "log": True},
    "dropout": {"low": 0.0, "high": 0.5, "step": 0.1},
    "batch_size": {"low": 16, "high": 128, "step": 16},
    "hidden": [[16], [32, 16]],
    "optimizer": ["sgd", "adam"],
    "nesterov": [True, False],
    # Equal for Python, and not the same.
    "flip": [False, True],
    "shift": [0, 1],
    "momentum": {"low": 0.1, "high": 0.9},
}


def write(
    results: Path, count: int = 20, epochs: int = 9, seeds: int = 3, halving: bool = True
) -> Search:
    """Write the files of a search of `count` trials into `results`; the search.

    Every ninth trial diverges in the epoch after its first. Without halving, all trials have all
    epochs; all seeds have the best three alone, or all trials if there is one seed.
    """
    described = {"space": SPACE, "trials": count, "parallel": min(count // 4, 1000)}
    if halving:
        described["halving"] = {"min_epochs": 3}
    baseline = {"epochs": epochs, "hidden": [4]}
    content = {"seeds": seeds, "baseline": baseline, "search": {"tuned": described}}
    plan = resolve(config.validated(content, "made up"))
    [search] = plan.searches
    for step in search.steps:
        scores = steps.Scores(_rows(plan, search).to_pandas())
        if step.drawn:
            taken = _drawn(plan, search)
        else:
            taken = steps.take(search, scores, MLP, lambda whole: _name(plan, whole))
        search = replace(search, taken=[*search.taken, taken])
    rows = _rows(plan, search)
    plan = replace(
        plan, searches=[search], runs=runs_of([], [search], None, plan.seeds, chooses_final=False)
    )
    found = trials.scored(search, steps.Scores(rows.to_pandas()))
    results.mkdir(parents=True, exist_ok=True)
    (results / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    records.write_parquet(results / "metrics.parquet", rows, {})
    table = trials.table(search, found, MLP.hyperparameters)
    records.write_parquet(results / path_of_trials(search.name), table, {})
    return search


def _name(plan: Plan, whole: settings.Settings) -> str:
    return run_name(whole, plan.dataset, plan.validation, plan.model)


def _drawn(plan: Plan, search: Search) -> Taken:
    """A step that draws, without the sampler, which takes long where there are thousands."""
    step = search.steps[len(search.taken)]
    first = len(search.trials)
    found = []
    for number in range(first, first + step.drawn):
        lot = np.random.default_rng(number)
        drawn = {
            "learning_rate": float(f"{10 ** lot.uniform(-4, 0):.4g}"),
            "dropout": float(lot.integers(6)) / 10,
            "batch_size": int(lot.integers(1, 9)) * 16,
            "hidden": SPACE["hidden"][lot.integers(2)],
            "optimizer": SPACE["optimizer"][lot.integers(2)],
            "nesterov": bool(lot.integers(2)),
            "momentum": float(f"{lot.uniform(0.1, 0.9):.4g}"),
            "flip": bool(lot.integers(2)),
            "shift": int(lot.integers(2)),
        }
        drawn = {key: value for key, value in drawn.items() if is_used(key, drawn["optimizer"])}
        whole = MLP.hyperparameters.complete({**search.settings, **drawn})
        run = _name(plan, whole)
        found.append(Trial(number, step.name, drawn, run, step.epochs, step.seeds))
    return Taken(search.until(step.name).digest, found, [trial.number for trial in found])


def _rows(plan: Plan, search: Search) -> pa.Table:
    """The rows of metrics.parquet that the search asks for so far."""
    runs = runs_of([], [search], None, plan.seeds, chooses_final=False)
    number_of = {trial.run: trial.number for trial in reversed(search.trials)}
    index, seeds, epochs, measures, statuses = [], [], [], [], []
    for place, run in enumerate(runs):
        number = number_of[run.run]
        for seed in run.seeds:
            known = min(run.epochs, 2) if number % 9 == 8 else run.epochs
            lot = np.random.default_rng([number, seed])
            epoch = np.arange(1, known + 1)
            # The same numbers for whoever asks for more epochs.
            noise = lot.normal(size=(known, len(CLASSIFICATION.columns)))
            level = 0.5 + 0.3 * np.random.default_rng(number).uniform()
            made = np.abs((level * (1 - np.exp(-epoch / 3)))[:, None] + 0.01 * noise)
            status = ["ok"] * known
            if number % 9 == 8:
                made[-1, :] = np.nan
                made[-1, -1] = 0.25
                made[-1, 0] = np.inf
                status[-1] = "diverged"
            index += [place] * known
            seeds += [seed] * known
            epochs += epoch.tolist()
            statuses += status
            measures.append(made)
    place = pa.array(index, pa.int64())
    columns = {"run": pa.array([run.run for run in runs], pa.string()).take(place)}
    for column in settings_columns(MLP.hyperparameters):
        values = [run.settings.get(column.name) for run in runs]
        columns[column.name] = pa.array(values, column.type).take(place)
        if pa.types.is_list(column.type):
            texts = pa.array(map(settings.text, values), pa.string())
            columns[f"{column.name}_text"] = texts.take(place)
    made = np.concatenate([np.empty((0, len(CLASSIFICATION.columns))), *measures])
    columns |= {"seed": pa.array(seeds, pa.int64()), "epoch": pa.array(epochs, pa.int64())}
    columns |= {name: pa.array(made[:, i]) for i, name in enumerate(CLASSIFICATION.columns)}
    return pa.table(columns | {"status": pa.array(statuses, pa.string())})
