"""Whether results are whole, follow from each other, and come out the same when made again.

What is written nowhere else cannot be held against anything, and is not looked at: the commit that
metrics.parquet names, times in a journal, logs.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from study.operations import pruning, remade, retrained, verified_runs, verified_tables
from study.operations.checks import (
    OK,
    SKIPPED,
    WRONG,
    CheckedStudy,
    Finding,
    UnableError,
    WrongError,
)
from study.spec.plan import Plan
from study.spec.searches import path_of, path_of_trials
from study.support.errors import StudyError


class Verification:
    """The checks of the study `plan`, whose results lie in the folder `results`.

    `findings` gives what they find as they go: at least one finding for each. A check whose
    `needed` files are not right is skipped.
    """

    def __init__(self, plan: Plan, results: Path):
        self.study = CheckedStudy(plan, results)
        self.not_right: set[Path] = set()

    def findings(self) -> Iterator[Finding]:
        """Check all files, and what can be made again within seconds."""
        yield from self._inputs()
        yield from self._tables()
        yield from self._made_again()

    def _inputs(self) -> Iterator[Finding]:
        """The plan, the data, the runs, and whether all else is as it was when made."""
        study = self.study
        asked = verified_tables.plan(study)
        yield from self._check(study.plan_file, "is what the config asks for", asked)
        described = verified_runs.data(study)
        yield from self._check(study.data, "all files are as described", described)
        wanted = {study.runs / run.run: run for run in study.plan.runs}
        others = [
            folder
            for folder in pruning.run_folders(study.runs)
            if folder not in wanted and (folder / "settings.json").is_file()
        ]
        for folder in [*wanted, *others]:
            agree = "outputs, saved state and journal are whole and agree"
            checked = verified_runs.run(folder, wanted.get(folder), study.plan.hyperparameters)
            yield from self._check(folder, agree, checked)
        if study.receipts.is_dir():
            as_noted = "what the workflow made is as it was noted"
            checked = verified_tables.noted(study, self.not_right)
            yield from self._check(study.receipts, as_noted, checked)

    def _tables(self) -> Iterator[Finding]:
        """What is computed from the runs, each table after those that it follows from."""
        study, tables = self.study, verified_tables
        wanted = [study.runs / run.run for run in study.plan.runs]
        found = tables.metrics(study)
        yield from self._check(study.metrics, "every row is in a run's record", found, wanted)
        follows = "every row follows from the metrics"
        found = tables.summary(study)
        yield from self._check(study.summary, follows, found, [study.metrics])
        follows = "every row follows from the summary"
        found = tables.comparisons(study)
        yield from self._check(study.comparisons, follows, found, [study.summary])
        for experiment in (each for each in study.plan.experiments if each.steps):
            path = study.results / path_of(experiment.name, experiment.steps[-1].name)
            found = tables.further_seeds(study, experiment)
            yield from self._check(path, "follows from the metrics", found, [study.metrics])
        follows = "every row follows from the metrics"
        for search in study.plan.searches:
            path = study.results / path_of_trials(search.name)
            found = tables.trials_of(study, search, path)
            yield from self._check(path, follows, found, [study.metrics])
        if study.plan.chooses_final and not study.plan.missing:
            follows = "follows from the summary"
            found = tables.choice(study)
            yield from self._check(study.choice, follows, found, [study.summary])
        follows = "every verdict follows from the summary and the metrics"
        found = tables.claims(study)
        yield from self._check(study.claims, follows, found, [study.summary])
        if study.plan.final:
            run = study.runs / study.plan.final.run
            follows = "follows from the final model's weights"
            found = tables.evaluation(study, run)
            needed = [study.plan_file, study.data, run]
            yield from self._check(study.evaluation, follows, found, needed)

    def _made_again(self) -> Iterator[Finding]:
        """Figures, the exported model, reports and pages."""
        for program in remade.programs(self.study):
            again = remade.made_again(self.study, program, self.not_right)
            comes_out = "comes out the same when made again"
            yield from self._check(program.shown, comes_out, again, program.needed)

    def retrained(self, chooser: random.Random) -> Iterator[Finding]:
        """Train a replicate of a short run again, chosen by `chooser`; call it after `findings`."""
        study = self.study
        intact = [run for run in study.plan.runs if study.runs / run.run not in self.not_right]
        if not intact:
            yield Finding(SKIPPED, "training again: no run is intact")
            return
        run, seed = retrained.chosen(intact, chooser)
        same = f"seed {seed} comes out the same, bit for bit, when trained again"
        trained = retrained.trained_again(study, run, seed)
        yield from self._check(study.runs / run.run, same, trained, [study.data])

    def _check(
        self, subject: Path, good: str, found: Iterator[Finding], needed: Sequence[Path] = ()
    ) -> Iterator[Finding]:
        if subject in self.not_right:
            return
        first = next((path for path in needed if path in self.not_right), None)
        if first:
            self.not_right.add(subject)
            yield Finding(SKIPPED, f"{subject}: {first} must be right first")
            return
        try:
            for finding in found:
                self.not_right.add(subject)
                yield finding
        except (WrongError, StudyError) as error:
            self.not_right.add(subject)
            yield Finding(WRONG, str(error))
        except UnableError as error:
            yield Finding(SKIPPED, f"{subject}: {error}")
        else:
            if subject not in self.not_right:
                yield Finding(OK, f"{subject}: {good}")
