"""The statistics of each experiment's values: the rows of summary.parquet."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa

from study.results import published
from study.spec.plan import Plan, Value
from study.spec.settings import Settings
from study.statistics.intervals import SHARE, t_interval

MEASURES = ("train_accuracy", "validation_accuracy")

STATISTICS = ("mean", "sd", "low", "high", "published")

SUMMARY = pa.schema(
    [
        ("experiment", pa.string()),
        ("value", pa.string()),
        ("run", pa.string()),
        ("epochs", pa.int64()),
        ("n", pa.int64()),
        ("diverged", pa.int64()),
    ]
    + [(f"{measure}_{name}", pa.float64()) for measure in MEASURES for name in STATISTICS]
)


def summarise(plan: Plan, metrics: pd.DataFrame, dataset: str | None) -> pa.Table:
    """A row for each experiment and value of `plan`, the final model last.

    `metrics` holds the rows of metrics.parquet. Published numbers are those of the data set of this
    name, none where it is None. Accuracies are those of a value's last epoch; a replicate that has
    diverged by then counts as diverged alone.
    """
    asked = list(_values(plan))
    values = pd.DataFrame(
        {
            # Without a value, the column would be one of numbers.
            "run": pd.Series([value.run for _, value, _ in asked], dtype=str),
            "until": [value.epochs for _, value, _ in asked],
            "place": range(len(asked)),
        }
    )
    # A replicate's rows end with the epoch in which it diverges.
    ends = values.merge(
        metrics[(metrics["status"] == "ok") & metrics["epoch"].isin(values["until"])],
        left_on=["run", "until"],
        right_on=["run", "epoch"],
    )
    lost = values.merge(metrics.loc[metrics["status"] == "diverged", ["run", "seed", "epoch"]])
    lost = lost.loc[lost["epoch"] <= lost["until"], "place"].value_counts()
    last = {place: rows[list(MEASURES)].to_numpy() for place, rows in ends.groupby("place")}
    rows = []
    for place, (experiment, value, settings) in enumerate(asked):
        accuracies = last.get(place, np.empty((0, len(MEASURES))))
        printed = dataset and published.lookup(
            experiment, settings, value.epochs, dataset, plan.validation
        )
        row = {
            "experiment": experiment,
            "value": value.value,
            "run": value.run,
            "epochs": value.epochs,
            "n": len(accuracies),
            "diverged": int(lost.get(place, 0)),
        }
        for measure, column in zip(MEASURES, accuracies.T, strict=True):
            statistics = _statistics(column)
            statistics["published"] = getattr(printed, measure) if printed else None
            row |= {f"{measure}_{name}": statistics[name] for name in STATISTICS}
        rows.append(row)
    return pa.Table.from_pylist(rows, SUMMARY)


def _values(plan: Plan) -> Iterator[tuple[str, Value, Settings]]:
    """Experiment, value and complete settings of each row."""
    for experiment, value in plan.values:
        yield experiment.name, value, experiment.settings_of(value)
    if plan.final:
        yield "final", plan.final, plan.final.settings


def _statistics(accuracies: np.ndarray) -> dict[str, float | None]:
    """Mean, standard deviation and 95 % t interval; what does not exist is None."""
    if len(accuracies) == 0:
        return dict.fromkeys(("mean", "sd", "low", "high"))
    found = t_interval(accuracies, SHARE)._asdict()
    return {name: None if np.isnan(number) else float(number) for name, number in found.items()}
