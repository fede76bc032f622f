"""The statistics of each experiment's values: the rows of summary.parquet."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from study.results import published
from study.spec.plan import Plan, Value
from study.spec.settings import Settings
from study.spec.tasks import CLASSIFICATION, Task, task_of
from study.statistics.intervals import t_interval

STATISTICS = ("mean", "sd", "low", "high", "published")


def measures(task: Task) -> dict[str, str]:
    """What is summarised: columns of metrics.parquet, and the metric that each is of."""
    return {
        f"{part}_{metric}": metric for metric in task.metrics for part in ("train", "validation")
    }


def columns(metrics: Iterable[str]) -> list[str]:
    """What `summarise` reads of a table with these columns of metrics.parquet."""
    return ["run", "seed", "epoch", "status", *measures(task_of(metrics))]


def schema(task: Task) -> pa.Schema:
    """The columns of summary.parquet."""
    return pa.schema(
        [
            ("experiment", pa.string()),
            ("value", pa.string()),
            ("run", pa.string()),
            ("epochs", pa.int64()),
            ("n", pa.int64()),
            ("diverged", pa.int64()),
        ]
        + [(f"{measure}_{name}", pa.float64()) for measure in measures(task) for name in STATISTICS]
    )


SUMMARY = schema(CLASSIFICATION)


def summarise(plan: Plan, metrics: pd.DataFrame, dataset: str | None) -> pa.Table:
    """A row for each experiment and value of `plan`, the final model last.

    `metrics` holds the rows of metrics.parquet. Published numbers are those of the data set of this
    name, none where it is None. Measures are those of a value's last epoch; a replicate that has
    diverged by then counts as diverged alone.
    """
    task = task_of(metrics.columns)
    summarised = measures(task)
    asked = list(_values(plan))
    # A row for each seed that counts: a run may have more, which others ask for.
    values = pd.DataFrame(
        [
            (value.run, value.epochs, place, seed)
            for place, (_, value, _, seeds) in enumerate(asked)
            for seed in seeds
        ],
        columns=["run", "until", "place", "seed"],
        # Without a value, the columns would be ones of anything.
    ).astype({"run": str, "until": int, "place": int, "seed": int})
    # A replicate's rows end with the epoch in which it diverges.
    ends = values.merge(
        metrics[(metrics["status"] == "ok") & metrics["epoch"].isin(values["until"])],
        left_on=["run", "until", "seed"],
        right_on=["run", "epoch", "seed"],
    )
    lost = values.merge(metrics.loc[metrics["status"] == "diverged", ["run", "seed", "epoch"]])
    lost = lost.loc[lost["epoch"] <= lost["until"], "place"].value_counts()
    last = {place: rows[list(summarised)].to_numpy() for place, rows in ends.groupby("place")}
    rows = []
    for place, (experiment, value, settings, _) in enumerate(asked):
        measured = last.get(place, np.empty((0, len(summarised))))
        printed = dataset and published.lookup(
            experiment, settings, value.epochs, dataset, plan.validation
        )
        row = {
            "experiment": experiment,
            "value": value.value,
            "run": value.run,
            "epochs": value.epochs,
            "n": len(measured),
            "diverged": int(lost.get(place, 0)),
        }
        for (measure, metric), column in zip(summarised.items(), measured.T, strict=True):
            statistics = _statistics(column, task.bounds[metric])
            statistics["published"] = getattr(printed, measure, None) if printed else None
            row |= {f"{measure}_{name}": statistics[name] for name in STATISTICS}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema(task))


def _values(plan: Plan) -> Iterator[tuple[str, Value, Settings, list[int]]]:
    """Experiment, value, complete settings and seeds of each row."""
    for experiment in plan.experiments:
        for value, trial in zip(experiment.values, experiment.trials, strict=True):
            yield experiment.name, value, experiment.settings_of(value), trial.seeds
    if plan.final:
        yield "final", plan.final, plan.final.settings, plan.seeds


def _statistics(measured: np.ndarray, bounds: tuple[float, float]) -> dict[str, float | None]:
    """Mean, standard deviation and 95 % t interval; what does not exist is None."""
    if len(measured) == 0:
        return dict.fromkeys(("mean", "sd", "low", "high"))
    found = t_interval(measured, bounds)._asdict()
    return {name: None if np.isnan(number) else float(number) for name, number in found.items()}
