"""The differences between an experiment's values: the rows of comparisons.parquet."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from study.results.experiments import ExperimentResult

COMPARISONS = pa.schema(
    [("experiment", pa.string()), ("value", pa.string()), ("other", pa.string())]
    + [
        (name, pa.float64())
        for name in (
            "difference",
            "low",
            "high",
            "p",
            "p_corrected",
            "effect_size",
            "probability_of_improvement",
            "noise",
        )
    ]
    + [("seeds_needed", pa.int64())]
    + [(name, pa.bool_()) for name in ("is_best", "is_baseline", "paired")]
)


def compare(experiments: Sequence[ExperimentResult]) -> pa.Table:
    """A row for each pair of values that `experiments` compare (ExperimentResult.compared).

    `difference` is the validation accuracy of `value` minus that of `other`, with a 95 % interval
    from `low` to `high`: fractions, as `noise` is. It is negative only where more replicates of
    `other` diverged, which therefore ranks below. The columns are those of experiments.Difference:
    `effect_size` is its effect, `probability_of_improvement` its superiority, `paired` tells
    whether it was tested seed by seed. `is_best` tells of `value`, and `is_baseline` of either,
    whether it is that of the experiment. What does not exist is null.
    """
    rows = [row for experiment in experiments for row in _rows(experiment)]
    columns = zip(*rows, strict=True) if rows else [[]] * len(COMPARISONS)
    arrays = [
        pa.array(column, field.type, from_pandas=True)
        for column, field in zip(columns, COMPARISONS, strict=True)
    ]
    return pa.table(arrays, COMPARISONS)


def _rows(experiment: ExperimentResult) -> Iterator[tuple[Any, ...]]:
    for found in experiment.differences(experiment.compared):
        yield (
            experiment.name,
            found.value.text,
            found.other.text,
            found.size,
            found.low,
            found.high,
            found.p,
            found.p_corrected,
            found.effect,
            found.superiority,
            found.noise,
            found.seeds_needed,
            found.value is experiment.best,
            experiment.baseline in (found.value, found.other),
            found.paired,
        )
