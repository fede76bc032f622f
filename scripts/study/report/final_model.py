"""The report's part on the final model: its progress, its result, the experiments beside it."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

from study.report.accuracy_tables import Results
from study.report.training_sentences import (
    course_in_words,
    gap_in_words,
)
from study.results import findings, published
from study.results.experiments import ExperimentResult, ValueResult
from study.search import best_of_each
from study.spec.choice import Reason
from study.spec.tasks import REGRESSION, score_of, task_of
from study.statistics.estimates import Estimate
from study.support import markdown

PROGRESS_STEP = 5  # epochs


class FinalModel(Results):
    """The final model: its progress, its result, and the experiments beside it."""

    @property
    def model(self) -> ValueResult:
        """The final model; only to be asked for where the study has one."""
        return self.study.final

    def settings(self) -> Iterator[str]:
        """The final model's settings, one by one."""
        chosen = self.model.varied
        for key in self.worth_naming(chosen):
            title, value = self.words.setting_title(key), self.words.value_name(key, chosen[key])
            yield self.text("final.setting", title=title, value=value)

    def chosen(self) -> Iterator[str]:
        """Why these settings, where results chose them."""
        reasons = self.study.plan.reasons
        if not reasons:
            return
        words = self.words
        searches = {search.name for search in self.study.plan.searches}
        won = next((reason for reason in reasons if reason.experiment in searches), None)
        if won:
            yield words.language.text(
                "search.won",
                search=markdown.escaped(won.experiment),
                value=words.score(won.accuracy),
                seeds=self.n_seeds,
            )
            return
        experiments = {experiment.name: experiment for experiment in self.study.experiments}
        final = self.model.varied
        taken = dict.fromkeys(key for reason in reasons for key in reason.taken)
        yield self.text(
            "final.chosen",
            values=words.joined([words.setting_phrase(key, final[key]) for key in taken]),
        )
        yield self._leads(reasons)
        for reason in reasons:
            experiment = experiments[reason.experiment]
            if not set(experiment.keys) <= set(reason.taken):
                yield self.text(
                    "final.not_taken",
                    experiment=words.label(experiment),
                    best=words.phrase(experiment.best),
                    accuracy=words.score(reason.accuracy),
                    settings=words.joined(self._decided_otherwise(experiment)),
                )

    def _leads(self, reasons: Sequence[Reason]) -> str:
        """How sure it is that the best values are the best."""
        clear = sum(each.p is not None and findings.is_clear(each.p) for each in reasons)
        if not any(each.p is not None for each in reasons):
            return self.text("final.leads_untested", seeds=self.seeds_of_values)
        if clear == 0:
            return self.text("final.leads_open", seeds=self.seeds_of_values)
        if clear == len(reasons):
            return self.text("final.leads_clear", seeds=self.seeds_of_values)
        return self.text("final.leads_partly", clear=clear, count=len(reasons))

    def _decided_otherwise(self, experiment: ExperimentResult) -> list[str]:
        """The settings of an experiment's best value that the final model does not have."""
        final = self.model.varied
        brought = best_of_each.brought(experiment, experiment.best, self.study.plan.baseline)
        return [
            self.words.setting_name(key) for key, value in brought.items() if final[key] != value
        ]

    def progress(self) -> str:
        """A table of scores, every fifth epoch and the last."""
        rows = findings.replicates(self.model, self.study.metrics)
        task = task_of(rows)
        epochs = [*range(PROGRESS_STEP, self.model.epochs, PROGRESS_STEP), self.model.epochs]
        printed = {}
        if not math.isnan(self.model.validation.published):
            printed = {each.epoch: each for each in published.load().progress}

        def measured(epoch: int, part: str, metric: str) -> Estimate:
            name = f"{part}_{metric}"
            samples = rows.loc[rows["epoch"] == epoch, name].to_numpy()
            published = getattr(printed.get(epoch), name, None)
            return findings.estimate(samples, published, task.bounds[metric])

        pairs = [
            (measured(epoch, "train", task.score), measured(epoch, "validation", task.score))
            for epoch in epochs
        ]
        columns = {self.text("columns.epoch"): [self.words.number(epoch) for epoch in epochs]}
        columns |= self.measured(pairs)
        if task is REGRESSION:
            columns |= self.errors([measured(each, "validation", "rmse") for each in epochs])
        columns |= self.published_beside(pairs)
        return self.table(columns, "r" * len(columns))

    def result(self) -> Iterator[str]:
        """What came out."""
        final, words, study = self.model, self.words, self.study
        if not final.n:
            seeds = words.counted("seeds", final.diverged)
            yield self.text("final.diverged", seeds=seeds)
            return
        validation = final.validation
        accuracy = self.text(
            "final.accuracy" if math.isnan(validation.low) else "final.accuracy_interval",
            epochs=words.counted("epochs", final.epochs),
            accuracy=words.score(validation.mean),
            seeds=words.counted("seeds", final.n),
            low=words.score(validation.low),
            high=words.score(validation.high),
        )
        yield self.with_frequency(accuracy)
        if self.errors([final.rmse]):
            yield self.text("final.rmse", rmse=self.error(final.rmse))
        if final.diverged:
            yield self.text("final.some_diverged", diverged=final.diverged, seeds=study.n_seeds)
        if not math.isnan(validation.published):
            yield self._published()
        if final.epochs > 1:
            course = findings.course(final, study.metrics)
            yield course_in_words(course, self.text("final.this"), words)
        gap = findings.generalisation_gap(final, study.metrics)
        yield gap_in_words("final", final, gap, study.metrics, words)

    def _published(self) -> str:
        ours = self.model.validation
        values = {
            "published": self.words.score(ours.published),
            "difference": self.words.signed(ours.mean - ours.published),
        }
        compared = findings.published_comparison("final", self.model, "validation_accuracy")
        if not compared:
            return self.text("final.published_one_seed", **values)
        low, high = self.words.score(compared.low), self.words.score(compared.high)
        key = "inside" if compared.inside else "outside"
        return self.text(f"final.published_{key}", **values, low=low, high=high)

    def curves(self) -> str:
        """The figure of the curves."""
        final = self.model
        if not final.n:
            seeds = self.words.counted("seeds", final.diverged)
            alternative = self.text("final.curves_alt_diverged", seeds=seeds)
            return self.figure("final_curves", alternative)
        rows = findings.replicates(final, self.study.metrics)
        score = rows.groupby("epoch")[score_of("validation", rows)].mean()
        alternative = self.text(
            "final.curves_alt",
            first=self.words.score(score[1]),
            last=self.words.score(score[final.epochs]),
            epochs=self.words.number(final.epochs),
        )
        return self.figure("final_curves", alternative)

    @cached_property
    def _singles(self) -> list[findings.AgainstFinal]:
        return findings.against_final(self.model, self.study.experiments)

    def singles_note(self) -> str:
        """What the table beside the single experiments has."""
        key = "singles_note_one_seed" if self.study.n_seeds == 1 else "singles_note"
        return self.text(f"final.{key}", validation=self.validation_note)

    def singles(self) -> str:
        """A table of the final model beside the best value of each experiment."""
        rows = []
        for each in self._singles:
            best = each.best
            row = [self.words.title(each.experiment), self.words.short(best)]
            row += [self.accuracy(best.validation), self.words.signed(each.ahead)]
            rows.append([*row, self.p(each.p), self.is_clear(each.p)])
        keys = ("experiment", "best", "validation", "ahead", "p", "clear")
        return self.rows(self.headings(*keys), rows, "llrrrl")

    def about_singles(self) -> Iterator[str]:
        """Which experiments' best values the final model beats, and which not."""
        groups: dict[str, list[str]] = {"above": [], "open": [], "below": []}
        for each in self._singles:
            if math.isnan(each.p):
                continue
            side = "above" if each.ahead > 0 else "below"
            named = self.text(
                "final.single",
                experiment=self.words.label(each.experiment),
                difference=self.words.signed(each.ahead),
            )
            groups[side if findings.is_clear(each.p) else "open"].append(named)
        for group, named in groups.items():
            if named:
                yield self.text(f"final.singles_{group}", experiments="; ".join(named))
