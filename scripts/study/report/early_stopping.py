"""The report's part on how long the final model had to be trained."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pandas as pd

from study.report.accuracy_tables import Results
from study.report.part import side_of_zero
from study.results import findings
from study.spec.tasks import score_of, task_of
from study.statistics import early_stopping
from study.statistics.intervals import of_differences, t_interval
from study.statistics.uncertainty import Interval

# Of more seeds than this, only the range is told.
MOST_SEEDS = 20


class EarlyStopping(Results):
    """What early stopping would have made of the final model; only where it has a result."""

    @cached_property
    def _stops(self) -> pd.DataFrame:
        rows = findings.replicates(self.study.final, self.study.metrics)
        return early_stopping.read_off(
            rows, **self.study.plan.early_stopping, score=score_of("validation", rows)
        )

    def found(self) -> Iterator[str]:
        """The rule, where training would have stopped, and what that would have saved and cost."""
        metric, patience = (self.study.plan.early_stopping[key] for key in ("metric", "patience"))
        yield self.text(
            f"early_stopping.rule.{'one' if patience == 1 else 'other'}",
            n=self.words.number(patience),
            metric=self.text(f"early_stopping.{metric}"),
        )
        yield self._saved()
        if (self._stops["taken"] == self.study.final.epochs).all():
            last = self.words.number(self.study.final.epochs)
            yield self.text("early_stopping.last_taken", epochs=last)
        else:
            yield self._gained()

    def _saved(self) -> str:
        stops, epochs = self._stops, self.study.final.epochs
        seeds = self.words.counted("seeds", len(stops))
        early = stops[stops["saved"] > 0]
        if early.empty:
            every = self.words.counted("epochs", epochs)
            return self.text("early_stopping.not_stopped", seeds=seeds, epochs=every)
        total = epochs * len(stops)
        return self.text(
            "early_stopping.stopped",
            seeds=self.words.part("seeds", len(early), len(stops)),
            stopped=self._epochs(early["stopped"]),
            epochs=self.words.number(epochs),
            saved=self.words.number(stops["saved"].sum()),
            total=self.words.number(total),
            share=self.words.language.percent(stops["saved"].sum() / total, 0),
        )

    def _gained(self) -> str:
        gained = self._stops["gained"].to_numpy()
        mean, _, low, high = map(float, t_interval(gained, of_differences(self._bounds)))
        interval = Interval(low, high)
        alone = "one_seed" if len(gained) == 1 else "flat"
        return self.text(
            f"early_stopping.{alone if np.isnan(low) else side_of_zero(interval)}",
            taken=self._epochs(self._stops["taken"]),
            gained=self.words.signed(mean),
            low=self.words.signed(interval.low),
            high=self.words.signed(interval.high),
        )

    @property
    def _bounds(self) -> tuple[float, float]:
        task = task_of(self.study.metrics)
        return task.bounds[task.score]

    def _epochs(self, epochs: pd.Series) -> str:
        low, high = epochs.min(), epochs.max()
        key = "one_epoch" if low == high else "range_of_epochs"
        return self.text(
            f"early_stopping.{key}", low=self.words.number(low), high=self.words.number(high)
        )

    def by_seed(self) -> str:
        """A table of the seeds; nothing where they are many."""
        if len(self._stops) > MOST_SEEDS:
            return ""
        rows = [
            [
                self.words.number(stop.Index),
                self.words.number(stop.stopped),
                self.words.number(stop.taken),
                self.words.signed(stop.gained),
            ]
            for stop in self._stops.itertuples()
        ]
        keys = ("seed", "stopped", "taken", "gained")
        return self.rows(self.headings(*keys), rows, "rrrr")
