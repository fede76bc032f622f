"""The best value of each experiment and search so far, by the journals of runs that have finished.

Those that train are left out: a run in its second epoch is no match for one in its last.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.operations import journals
from study.operations.journals import Point
from study.operations.plan_table import assignments
from study.operations.progress import Situation, Snapshot
from study.spec.plan import Plan, Run


@dataclass(frozen=True)
class Best:
    """A value, or what a trial has drawn, its run and its mean score; `lost` seeds diverged."""

    value: str
    run: str
    score: float
    lost: int


@dataclass(frozen=True)
class ExperimentProgress:
    """An experiment or a search, of whose `runs` so many have `finished`, and its best.

    A search has drawn so many `trials`, of at most `most_trials`.
    """

    name: str
    runs: int
    finished: int
    best: Best | None
    trials: int | None = None
    most_trials: int | None = None


class BestSoFar:
    """Knows the scores of a plan's runs that have finished, each journal read once.

    `runs` is the folder of all runs, `score` the column that they are compared by.
    """

    def __init__(self, plan: Plan, runs: Path, score: str):
        self.plan = plan
        self.runs = runs
        self.score = score
        self._run = {run.run: run for run in plan.runs}
        self._points: dict[str, dict[int, Point]] = {}
        self._asked = {run.run: {run.epochs} for run in plan.runs}
        trials = [trial for search in plan.searches for trial in search.trials]
        for each in [*(value for _, value in plan.values), *trials]:
            self._asked[each.run].add(each.epochs)

    def look(self, snapshot: Snapshot) -> None:
        """Read the journals of the runs that have finished since."""
        for seen in snapshot.of(Situation.FINISHED):
            if seen.run.run not in self._points:
                asked = self._asked[seen.run.run]
                points = journals.curve(self.runs, seen.run, (self.score, "validation_loss"))
                self._points[seen.run.run] = {
                    point.epoch: point for point in points if point.epoch in asked
                }

    def end(self, run: Run) -> Point | None:
        """The last epoch of a run that has finished; None too where every seed diverged."""
        return self._points.get(run.run, {}).get(run.epochs)

    def experiments(self) -> Iterable[ExperimentProgress]:
        """Experiments and searches, as in the plan."""
        for experiment in self.plan.experiments:
            ranked: dict[Any, Best] = {}
            asked = zip(experiment.values, experiment.trials, strict=True)
            for number, (value, trial) in enumerate(asked):
                if best := self._scored(value.value, value.run, value.epochs):
                    # As results.experiments.rank has it: what has fewer seeds was left out.
                    ranked[-len(trial.seeds), best.lost, -best.score, number] = best
            yield self._progress(
                experiment.name, {value.run for value in experiment.values}, ranked
            )
        for search in self.plan.searches:
            ranked = {}
            for trial in search.trials:
                drawn = {key: trial.settings[key] for key in search.space if key in trial.settings}
                if best := self._scored(assignments(drawn), trial.run, trial.epochs):
                    # As search.trials.ranked has it.
                    reached = -trial.epochs, -len(trial.seeds)
                    ranked[best.lost > 0, *reached, -best.score, trial.number] = best
            counts = {"trials": len(search.trials), "most_trials": search.most_trials}
            yield self._progress(
                search.name, {trial.run for trial in search.trials}, ranked, **counts
            )

    def _progress(
        self, name: str, runs: set[str], ranked: dict[Any, Best], **counts: int
    ) -> ExperimentProgress:
        best = ranked[min(ranked)] if ranked else None
        return ExperimentProgress(name, len(runs), len(runs & self._points.keys()), best, **counts)

    def _scored(self, value: str, run: str, epochs: int) -> Best | None:
        point = self._points.get(run, {}).get(epochs)
        if point is None:
            return None
        lost = len(self._run[run].seeds) - point.seeds
        return Best(value, run, point.means[self.score], lost)
