"""The report's section on each experiment."""

import math
from collections.abc import Iterator

from study.report.accuracy_tables import Results
from study.report.part import EXTREMES, MOST_ROWS
from study.report.sentences import analysis_of
from study.results.experiments import Difference, ExperimentResult, ValueResult, are_paired

# The settings whose values are words.
WORDS = ("optimizer", "activation", "nesterov", "flip", "precision")


class Experiments(Results):
    """The section of each experiment."""

    def heading(self, number: int, experiment: ExperimentResult) -> str:
        """The heading of an experiment's section."""
        label = self.words.label(experiment)
        return self.text("experiments.heading", number=number, settings=label)

    def held_still(self, experiment: ExperimentResult) -> str:
        """The settings that an experiment holds still and any of its values uses."""
        used = {
            key
            for value in experiment.values
            for key in self.worth_naming(experiment.settings_of(value), experiment.keys)
        }
        keys = [key for key in self.study.plan.hyperparameters.names if key in used]
        listed = self.words.settings(experiment.settings, keys)
        return self.text("experiments.fixed", settings=listed)

    def tried(self, experiment: ExperimentResult) -> str:
        """The values of each setting that an experiment varies."""
        parts = []
        for key in experiment.keys:
            names = dict.fromkeys(
                self.words.value_name(key, value.varied[key]) for value in experiment.values
            )
            name = f"{self.words.setting_name(key)} " if len(experiment.keys) > 1 else ""
            parts.append(name + self.words.listed(list(names)))
        return self.text("experiments.values", values=" × ".join(parts))

    def _shown(self, experiment: ExperimentResult) -> list[ValueResult]:
        """The values that tables list: all, or the extreme ones of many."""
        if len(experiment.values) <= MOST_ROWS:
            return experiment.values
        ranked = [*experiment.ranked, *experiment.lost]
        return [*ranked[:EXTREMES], *ranked[-EXTREMES:]]

    def results(self, experiment: ExperimentResult) -> str:
        """The table of an experiment: a row for each value, or for the extreme ones of many."""
        shown = self._shown(experiment)
        pairs = [(value.train, value.validation) for value in shown]
        columns = {
            self.words.setting_title(key): [
                self.words.value_name(key, value.varied[key]) for value in shown
            ]
            for key in experiment.keys
        }
        columns |= self.measured(pairs) | self.errors([value.rmse for value in shown])
        if "dropout" in experiment.keys:
            gaps = [self.signed(validation.mean - train.mean) for train, validation in pairs]
            columns[self.text("columns.gap")] = gaps
        columns |= self.published_beside(pairs)
        if any(value.diverged or value.looks for value in shown):
            columns[self.text("columns.seeds")] = [self._seeds(value) for value in shown]
        sides = "".join("l" if key in WORDS else "r" for key in experiment.keys)
        return self.table(columns, sides.ljust(len(columns), "r"))

    def seeds_of(self, experiment: ExperimentResult) -> list[int]:
        """How many seeds each of its values has been asked for."""
        return [len(value.seeds) for value in experiment.values]

    def by_need(self, experiment: ExperimentResult) -> Iterator[str]:
        """Which values got how many seeds, why, and by which rule, where seeds are added."""
        looks = experiment.values[0].looks
        if not looks:
            return

        def say(key: str, **about: str) -> str:
            return self.text(f"experiments.by_need.{key}", **about)

        least, most = looks[0], looks[-1]
        if least == most:
            yield say("even", seeds=self.words.counted("seeds", most))
            return
        given: dict[int, list[str]] = {}
        for value in experiment.values:
            given.setdefault(len(value.seeds), []).append(self.words.short(value))
        told = [
            say(
                "given",
                seeds=self.words.counted("seeds", count),
                values=self.words.joined(given[count]),
            )
            for count in sorted(given, reverse=True)
        ]
        who = say(
            "who",
            start=self.words.counted("seeds", least),
            looks=self.words.joined([self.words.number(look) for look in looks[:-1]]),
            most=self.words.number(most),
            given="; ".join(told),
        )
        [planned] = [each for each in self.study.plan.experiments if each.name == experiment.name]
        ending = "open" if experiment.in_question else "clear"
        sentences = [who, say(ending if planned.is_finished else "unfinished", most=str(most))]
        if len(given) > 1:
            sentences.append(say("left_out"))
        yield " ".join(sentences)
        yield say("rule", most=self.words.number(most))

    def differences(self, experiment: ExperimentResult) -> str:
        """A table of every value against the best and against the baseline's.

        Nothing where no difference could be tested.
        """
        shown = [value for value in self._shown(experiment) if value.n]
        best, baseline = experiment.best, experiment.baseline
        pairs = [(value, best) for value in shown if value is not best]
        if baseline and baseline.n:
            pairs += [(value, baseline) for value in shown if value not in (best, baseline)]
        pairs = list(dict.fromkeys(pairs))
        found = [each for each in experiment.differences(pairs) if each.is_tested]
        rows = [
            [
                self.words.short(each.value),
                self.words.short(each.other),
                self._difference(each),
                self.points(each.noise),
                self.p(each.p_corrected),
                self._number(each.effect),
                self.words.chance(each.superiority),
                self.words.needed(each.seeds_needed),
            ]
            for each in found
        ]
        if not rows:
            return ""
        keys = ("value", "against", "value_minus", "noise", "p", "effect", "chance", "needed")
        return self.rows(self.headings(*keys), rows, "llrrrrrr")

    def _difference(self, difference: Difference) -> str:
        ends = difference.size, difference.low, difference.high
        return self.words.with_interval(*ends, self.words.signed)

    def _number(self, number: float) -> str:
        if math.isnan(number):
            return self.cell("none")
        return self.words.number(number, 1)

    def differences_note(self, experiment: ExperimentResult) -> str:
        """What the table of differences has."""
        pairs = [
            (value, fixed)
            for fixed in (experiment.best, experiment.baseline)
            for value in experiment.values
            if fixed and value is not fixed
        ]
        paired = [are_paired(*pair) for pair in pairs]
        key = "welch" if not any(paired) else "paired" if all(paired) else "partly_paired"
        return self.text(
            "experiments.differences_note",
            family=self.words.number(experiment.family),
            test=self.text(f"experiments.tests.{key}"),
            validation=self.validation_note,
        )

    def _seeds(self, value: ValueResult) -> str:
        key = "some_diverged" if value.diverged else "none_diverged"
        counts = {"n": value.n, "all": value.n + value.diverged, "diverged": value.diverged}
        return self.text(f"cells.{key}", **counts)

    def left_out(self, experiment: ExperimentResult) -> str:
        """How many values the table leaves out; nothing where it has them all."""
        count = len(experiment.values)
        if count <= MOST_ROWS:
            return ""
        left_out = self.words.counted("values", count - 2 * EXTREMES)
        return self.text("experiments.left_out", best=EXTREMES, worst=EXTREMES, values=left_out)

    def analysis(self, experiment: ExperimentResult) -> list[str]:
        """What the numbers say."""
        # What one of them is worth is known of accuracies alone.
        images = self.study.validation_images if self.is_of_classes else None
        return analysis_of(experiment, self.study.metrics, self.words, images)

    def curves(self, experiment: ExperimentResult) -> str:
        """The figure of an experiment."""
        title, count = self.words.title(experiment), len(experiment.values)
        if not experiment.ranked:
            alternative = self.text(
                "experiments.alt_diverged",
                settings=title,
                values=self.words.part("values", count, count),
            )
            return self.figure(experiment.name, alternative)
        by_accuracy = sorted(experiment.ranked, key=lambda value: value.validation.mean)
        worst, best = by_accuracy[0], by_accuracy[-1]
        alternative = self.text(
            "experiments.alt",
            settings=title,
            values=self.words.counted("values", count),
            best=self.words.phrase(best),
            highest=self.words.score(best.validation.mean),
            worst=self.words.phrase(worst),
            lowest=self.words.score(worst.validation.mean),
        )
        return self.figure(experiment.name, alternative)
