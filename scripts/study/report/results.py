"""The report's parts that tell the results, as Markdown that the template puts in order."""

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from study.report import sentences
from study.report.parts import EXTREMES, MOST_ROWS, Part
from study.results import fidelity, findings, published, trends
from study.results.experiments import Difference, Experiment, Value, are_paired
from study.results.fidelity import MEASURES, Comparison
from study.search import best_of_each
from study.spec import settings
from study.spec.choice import Reason
from study.statistics.estimates import Estimate
from study.statistics.significance import is_clear
from study.support import markdown

PROGRESS_STEP = 5  # epochs

# The settings whose values are words.
WORDS = ("optimizer", "activation", "nesterov", "flip", "precision")


class Results(Part):
    """What parts with tables of accuracies share."""

    def accuracies_note(self) -> str:
        """What the numbers of tables of accuracies are."""
        key = "note_one_seed" if self.study.n_seeds == 1 else "note"
        note = self.text(f"experiments.{key}", seeds=self.n_seeds, validation=self.validation_note)
        if not self.study.class_counts["validation"].is_unbalanced:
            return note
        return f"{note} {self.text('experiments.unbalanced', **self.most_frequent('validation'))}"

    def measured(self, pairs: Sequence[tuple[Estimate, Estimate]]) -> dict[str, list[str]]:
        """The columns of training and validation accuracies."""
        return {
            self.text(f"columns.{part}"): [self.accuracy(pair[place]) for pair in pairs]
            for place, part in enumerate(("train", "validation"))
        }

    def accuracy(self, estimate: Estimate) -> str:
        """An accuracy in a cell, with its interval."""
        return self.words.with_half(estimate) if estimate.n else self.cell("diverged")

    def published_beside(self, pairs: Sequence[tuple[Estimate, Estimate]]) -> dict[str, list[str]]:
        """The columns of published accuracies, as far as there are any, and of our difference."""
        columns = {}
        for place, part in enumerate(("train", "validation")):
            estimates = [pair[place] for pair in pairs]
            if all(math.isnan(estimate.published) for estimate in estimates):
                continue
            columns |= {
                self.text(f"columns.published_{part}"): [
                    self.points(estimate.published) for estimate in estimates
                ],
                self.text(f"columns.difference_{part}"): [
                    self.signed(estimate.mean - estimate.published) for estimate in estimates
                ],
            }
        return columns


class Experiments(Results):
    """The section of each experiment."""

    def heading(self, number: int, experiment: Experiment) -> str:
        """The heading of an experiment's section."""
        label = self.words.label(experiment)
        return self.text("experiments.heading", number=number, settings=label)

    def held_still(self, experiment: Experiment) -> str:
        """The settings that an experiment holds still and any of its values uses."""
        used = {
            key
            for value in experiment.values
            for key in self.worth_naming(experiment.settings_of(value), experiment.keys)
        }
        keys = [key for key in settings.names() if key in used]
        listed = self.words.settings(experiment.settings, keys)
        return self.text("experiments.fixed", settings=listed)

    def tried(self, experiment: Experiment) -> str:
        """The values of each setting that an experiment varies."""
        parts = []
        for key in experiment.keys:
            names = dict.fromkeys(
                self.words.value_name(key, value.varied[key]) for value in experiment.values
            )
            name = f"{self.words.setting_name(key)} " if len(experiment.keys) > 1 else ""
            parts.append(name + self.words.listed(list(names)))
        return self.text("experiments.values", values=" × ".join(parts))

    def _shown(self, experiment: Experiment) -> list[Value]:
        """The values that tables list: all, or the extreme ones of many."""
        if len(experiment.values) <= MOST_ROWS:
            return experiment.values
        ranked = [*experiment.ranked, *experiment.lost]
        return [*ranked[:EXTREMES], *ranked[-EXTREMES:]]

    def results(self, experiment: Experiment) -> str:
        """The table of an experiment: a row for each value, or for the extreme ones of many."""
        shown = self._shown(experiment)
        pairs = [(value.train, value.validation) for value in shown]
        columns = {
            self.words.setting_title(key): [
                self.words.value_name(key, value.varied[key]) for value in shown
            ]
            for key in experiment.keys
        }
        columns |= self.measured(pairs)
        if "dropout" in experiment.keys:
            gaps = [self.signed(validation.mean - train.mean) for train, validation in pairs]
            columns[self.text("columns.gap")] = gaps
        columns |= self.published_beside(pairs)
        if any(value.diverged for value in shown):
            columns[self.text("columns.seeds")] = [self._seeds(value) for value in shown]
        sides = "".join("l" if key in WORDS else "r" for key in experiment.keys)
        return self.table(columns, sides.ljust(len(columns), "r"))

    def differences(self, experiment: Experiment) -> str:
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
        return markdown.table(self.headings(*keys), rows, "llrrrrrr")

    def _difference(self, difference: Difference) -> str:
        ends = difference.size, difference.low, difference.high
        return self.words.with_interval(*ends, self.words.signed)

    def _number(self, number: float) -> str:
        if math.isnan(number):
            return self.cell("none")
        return self.words.number(number, 1)

    def differences_note(self, experiment: Experiment) -> str:
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

    def _seeds(self, value: Value) -> str:
        key = "some_diverged" if value.diverged else "none_diverged"
        counts = {"n": value.n, "all": value.n + value.diverged, "diverged": value.diverged}
        return self.text(f"cells.{key}", **counts)

    def left_out(self, experiment: Experiment) -> str:
        """How many values the table leaves out; nothing where it has them all."""
        count = len(experiment.values)
        if count <= MOST_ROWS:
            return ""
        left_out = self.words.counted("values", count - 2 * EXTREMES)
        return self.text("experiments.left_out", best=EXTREMES, worst=EXTREMES, values=left_out)

    def analysis(self, experiment: Experiment) -> list[str]:
        """What the numbers say."""
        images = self.study.validation_images
        return sentences.analysis_of(experiment, self.study.metrics, self.words, images)

    def curves(self, experiment: Experiment) -> str:
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
            highest=self.words.percent(best.validation.mean),
            worst=self.words.phrase(worst),
            lowest=self.words.percent(worst.validation.mean),
        )
        return self.figure(experiment.name, alternative)


class Conclusions(Results):
    """The best settings, and what the experiments say together."""

    def best_settings(self) -> str:
        """A table with the best value of each experiment."""
        keys = ["experiment", "best", "validation", "runner_up", "lead", "p", "clear"]
        sides = "llrlrrl"
        if any(map(findings.published_order, self.study.experiments)):
            keys += ["published_best", "published_validation"]
            sides += "lr"
        rows = [self._best_row(each)[: len(keys)] for each in self.study.experiments]
        return markdown.table(self.headings(*keys), rows, sides)

    def _best_row(self, experiment: Experiment) -> list[str]:
        words, none = self.words, self.cell("none")
        title = words.title(experiment)
        if not experiment.best:
            return [title, self.cell("diverged"), *[none] * 7]
        row = [title, words.short(experiment.best), self.accuracy(experiment.best.validation)]
        lead = findings.lead(experiment)
        if lead:
            row += [words.short(lead.runner_up), words.points(lead.size)]
            row += [self.p(lead.p), self.is_clear(lead.p)]
        else:
            row += [none] * 4
        order = findings.published_order(experiment)
        if not order:
            return [*row, none, none]
        claimed = order.claimed
        return [*row, words.short(claimed), words.points(claimed.validation.published)]

    def best_note(self) -> str:
        """What the table has."""
        return self.text("best.note", validation=self.validation_note)

    def overall(self) -> Iterator[str]:
        """Effects, noise, and where the best value is at an edge."""
        words, study = self.words, self.study
        yield from self.behind_measured()
        spreads = self.spreads()
        if len(spreads) > 1:
            effects = [
                self.text(
                    "conclusions.effect", experiment=words.label(each), size=words.points(size)
                )
                for each, size in spreads
            ]
            yield self.text("conclusions.effects", effects="; ".join(effects))
        scatter = findings.scatter(study.experiments)
        if scatter:
            yield self.text(
                "conclusions.noise",
                median=words.points(scatter.median),
                largest=words.points(scatter.largest.validation.sd),
                value=words.phrase(scatter.largest),
                apart=words.points(scatter.apart),
            )
        edges = [
            self._beyond(edge)
            for experiment in study.experiments
            for edge in trends.edges(experiment)
        ]
        if edges:
            yield self.text("conclusions.edges", values="; ".join(dict.fromkeys(edges)))

    def behind_measured(self) -> Iterator[str]:
        """Whether a value that was measured is ahead of the final model, and how to take it."""
        ahead = findings.ahead_of_final(self.study.final, self.study.experiments)
        if ahead is None:
            return
        words, final, best = self.words, self.study.final, ahead.experiment.best
        verdict = "untested" if math.isnan(ahead.p) else "clear" if is_clear(ahead.p) else "open"
        yield self.text(
            f"conclusions.final_behind_{verdict}",
            final=words.percent(final.validation.mean) + words.lost(final),
            accuracy=words.percent(best.validation.mean),
            value=words.phrase(best),
            experiment=words.label(ahead.experiment),
            difference=words.points(-ahead.ahead),
            p="" if math.isnan(ahead.p) else words.p(ahead.p),
        )
        if self.study.plan.chooses_final:
            yield self.text(
                "conclusions.take_measured",
                config=sentences.final_to_paste(
                    ahead.experiment.settings_of(best), self.study.plan.baseline
                ),
            )

    def _beyond(self, edge: trends.Edge) -> str:
        """A value at an edge, with those to try beyond it."""
        name = self.words.setting_phrase(edge.key, edge.best.varied[edge.key])
        return f"{name} ({sentences.to_paste(edge.key, edge.to_try)})" if edge.to_try else name

    def recommendations(self) -> Iterator[str]:
        """What to choose, experiment by experiment."""
        for experiment in self.study.experiments:
            yield sentences.recommendation(experiment, self.words)

    @cached_property
    def _single(self) -> list[Experiment]:
        """The first experiment with a best value for each setting that is varied alone."""
        found: dict[str, Experiment] = {}
        for experiment in self.study.experiments:
            if len(experiment.keys) == 1 and experiment.best:
                found.setdefault(experiment.keys[0], experiment)
        return list(found.values())

    def together(self) -> Iterator[str]:
        """What is known of the recommended values taken together."""
        best = {key: value for each in self._single for key, value in each.best.varied.items()}
        if len(best) > 1:
            yield self._combination(best)
        if best and self.study.final:
            final = settings.complete(self.study.final.varied)
            yield sentences.followed(final, best, self.words)
        yield self._other_optimizer()

    def _combination(self, best: Mapping[str, Any]) -> str:
        words, study = self.words, self.study
        chosen = settings.complete({**study.plan.baseline, **best})
        named = words.joined([words.setting_phrase(key, value) for key, value in best.items()])
        accuracy = self._accuracy_of(chosen)
        if accuracy is not None:
            return self.text(
                "conclusions.combination_trained",
                settings=named,
                accuracy=accuracy,
                epochs=words.counted("epochs", chosen["epochs"]),
            )
        final = settings.complete(study.final.varied) if study.final else {}
        if study.final and study.final.n and all(final[key] == best[key] for key in best):
            return self.text(
                "conclusions.combination_final",
                settings=named,
                others=words.joined(
                    [
                        words.setting_phrase(key, value)
                        for key, value in final.items()
                        if value != chosen[key]
                    ]
                ),
                accuracy=words.percent(study.final.validation.mean) + words.lost(study.final),
            )
        return self.text("conclusions.combination_untrained", settings=named)

    def _accuracy_of(self, chosen: Mapping[str, Any]) -> str | None:
        """The mean validation accuracy with these settings, if any run was trained with them."""
        wanted = settings.identity(chosen)
        named = [run.run for run in self.study.plan.runs if run.settings == wanted]
        metrics = self.study.metrics
        rows = metrics[metrics["run"].isin(named) & (metrics["epoch"] <= chosen["epochs"])]
        is_end = (rows["epoch"] == chosen["epochs"]) & (rows["status"] == "ok")
        accuracies = rows.loc[is_end, ["seed", "validation_accuracy"]].drop_duplicates("seed")
        if accuracies.empty:
            return None
        told = self.words.percent(float(accuracies["validation_accuracy"].mean()))
        lost = rows.loc[rows["status"] == "diverged", "seed"].nunique()
        return told + self.words.lost_of(lost, lost + len(accuracies))

    def _other_optimizer(self) -> str:
        """A reminder of what was found with another optimizer than the recommended one."""
        best = next((each.best for each in self._single if each.keys == ["optimizer"]), None)
        if best is None:
            return ""
        optimizer = best.varied["optimizer"]
        others = {
            self.words.label(each): self.words.value_name("optimizer", each.settings["optimizer"])
            for each in self._single
            if each.keys != ["optimizer"] and each.settings["optimizer"] != optimizer
        }
        if not others:
            return ""
        return self.text(
            "conclusions.other_optimizer",
            trained=self.words.joined(list(dict.fromkeys(others.values()))),
            best=self.words.value_name("optimizer", optimizer),
            experiments=self.words.joined(list(others)),
        )


class FinalModel(Results):
    """The final model: its progress, its result, and the experiments beside it."""

    @property
    def model(self) -> Value:
        """The final model; only to be asked for where the study has one."""
        return self.study.final

    def settings(self) -> Iterator[str]:
        """The final model's settings, one by one."""
        chosen = settings.complete(self.model.varied)
        for key in self.worth_naming(chosen):
            title, value = self.words.setting_title(key), self.words.value_name(key, chosen[key])
            yield self.text("final.setting", title=title, value=value)

    def chosen(self) -> Iterator[str]:
        """Why these settings, where results chose them."""
        reasons = self.study.plan.reasons
        if not reasons:
            return
        words = self.words
        experiments = {experiment.name: experiment for experiment in self.study.experiments}
        final = settings.complete(self.model.varied)
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
                    accuracy=words.percent(reason.accuracy),
                    settings=words.joined(self._decided_otherwise(experiment)),
                )

    def _leads(self, reasons: Sequence[Reason]) -> str:
        """How sure it is that the best values are the best."""
        clear = sum(each.p is not None and findings.is_clear(each.p) for each in reasons)
        if not any(each.p is not None for each in reasons):
            return self.text("final.leads_untested", seeds=self.n_seeds)
        if clear == 0:
            return self.text("final.leads_open", seeds=self.n_seeds)
        if clear == len(reasons):
            return self.text("final.leads_clear", seeds=self.n_seeds)
        return self.text("final.leads_partly", clear=clear, count=len(reasons))

    def _decided_otherwise(self, experiment: Experiment) -> list[str]:
        """The settings of an experiment's best value that the final model does not have."""
        final = settings.complete(self.model.varied)
        brought = best_of_each.brought(experiment, experiment.best, self.study.plan.baseline)
        return [
            self.words.setting_name(key) for key, value in brought.items() if final[key] != value
        ]

    def progress(self) -> str:
        """A table of accuracies, every fifth epoch and the last."""
        rows = findings.replicates(self.model, self.study.metrics)
        epochs = [*range(PROGRESS_STEP, self.model.epochs, PROGRESS_STEP), self.model.epochs]
        printed = {}
        if not math.isnan(self.model.validation.published):
            printed = {each.epoch: each for each in published.load().progress}
        pairs = []
        for epoch in epochs:
            at_epoch = rows[rows["epoch"] == epoch]
            train, validation = (
                findings.estimate(
                    at_epoch[measure].to_numpy(), getattr(printed.get(epoch), measure, None)
                )
                for measure in MEASURES
            )
            pairs.append((train, validation))
        columns = {self.text("columns.epoch"): [self.words.number(epoch) for epoch in epochs]}
        columns |= self.measured(pairs) | self.published_beside(pairs)
        return self.table(columns, "r" * len(columns))

    def result(self) -> Iterator[str]:
        """What came out."""
        final, words, study = self.model, self.words, self.study
        if not final.n:
            seeds = words.counted("seeds", final.diverged)
            yield self.text("final.diverged", seeds=seeds)
            return
        validation = final.validation
        yield self.text(
            "final.accuracy" if math.isnan(validation.low) else "final.accuracy_interval",
            epochs=words.counted("epochs", final.epochs),
            accuracy=words.percent(validation.mean),
            seeds=words.counted("seeds", final.n),
            low=words.percent(validation.low),
            high=words.percent(validation.high),
        )
        if final.diverged:
            yield self.text("final.some_diverged", diverged=final.diverged, seeds=study.n_seeds)
        if not math.isnan(validation.published):
            yield self._published()
        if final.epochs > 1:
            course = findings.course(final, study.metrics)
            yield sentences.course_in_words(course, self.text("final.this"), words)
        gap = findings.generalisation_gap(final, study.metrics)
        yield sentences.gap_in_words("final", final, gap, study.metrics, words)

    def _published(self) -> str:
        ours = self.model.validation
        values = {
            "published": self.words.percent(ours.published),
            "difference": self.words.signed(ours.mean - ours.published),
        }
        compared = findings.published_comparison("final", self.model, "validation_accuracy")
        if not compared:
            return self.text("final.published_one_seed", **values)
        low, high = self.words.percent(compared.low), self.words.percent(compared.high)
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
        accuracy = rows.groupby("epoch")["validation_accuracy"].mean()
        alternative = self.text(
            "final.curves_alt",
            first=self.words.percent(accuracy[1]),
            last=self.words.percent(accuracy[final.epochs]),
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
            best = each.experiment.best
            row = [self.words.title(each.experiment), self.words.short(best)]
            row += [self.accuracy(best.validation), self.words.signed(each.ahead)]
            rows.append([*row, self.p(each.p), self.is_clear(each.p)])
        keys = ("experiment", "best", "validation", "ahead", "p", "clear")
        return markdown.table(self.headings(*keys), rows, "llrrrl")

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


class PublishedStudy(Results):
    """Our numbers beside the published ones, line by line."""

    def agreement(self) -> Iterator[str]:
        """How well the numbers agree."""
        found = self.study.comparisons
        if not found:
            yield self.text("published.one_seed", count=len(self._lines()))
            return
        outside = [each for each in found if not each.inside]
        yield self.text(
            f"published.{'inside' if outside else 'all_inside'}",
            count=len(found),
            inside=len(found) - len(outside),
            expected=self.words.number((1 - fidelity.CONFIDENCE) * len(found)),
            outside="; ".join(map(self._item, outside)),
        )
        for measure in MEASURES:
            compared = [each for each in found if each.measure == measure]
            if compared:
                largest = max(compared, key=lambda each: abs(each.difference))
                yield self.text(
                    f"published.distance_{measure}",
                    mean=self.words.points(findings.mean_distance(compared)),
                    largest=self.words.points(abs(largest.difference)),
                    value=self._name(largest),
                )
        noise, ours = published.baseline_noise(), self._baseline()
        if ours and ours.n > 1:
            yield self.text(
                "published.noise",
                n=noise.n,
                published=self.words.points(noise.sd),
                ours=self.words.points(ours.validation.sd),
                seeds=self.words.counted("seeds", ours.n),
            )

    def _item(self, comparison: Comparison) -> str:
        return self.text(
            "published.item",
            value=self._name(comparison),
            measure=self.text(f"published.measures.{comparison.measure}"),
            difference=self.words.signed(comparison.difference),
        )

    def _name(self, comparison: Comparison) -> str:
        values = {(each.name, value.text): value for each, value in self.study.values}
        return self.words.phrase(values[comparison.experiment, comparison.value])

    def _baseline(self) -> Value | None:
        """Our value with the settings whose training the published study repeated."""
        wanted = settings.complete(published.load().baseline)
        for experiment, value in self.study.values:
            is_printed = not math.isnan(value.validation.published)
            if is_printed and settings.complete(experiment.settings_of(value)) == wanted:
                return value
        return None

    def _lines(self, measures: Sequence[str] = MEASURES) -> list[tuple[str, str, str, Value]]:
        """Experiment, its title, a name for the value, and the value, of each published number."""
        words, final = self.words, self.study.final
        lines = [
            (experiment.name, words.title(experiment), words.short(value), value)
            for experiment, value in self.study.values
        ]
        if final:
            epochs = words.setting_phrase("epochs", final.epochs)
            lines.append(("final", self.text("published.final"), epochs, final))
        return [
            line
            for measure in measures
            for line in lines
            if not math.isnan(line[-1].measure(measure).published)
        ]

    def has_lines(self, measure: str) -> bool:
        """Whether any published accuracy of a measure stands beside one of ours."""
        return bool(self._lines([measure]))

    def line_by_line(self, measure: str) -> str:
        """A table of every published accuracy of a measure beside ours."""
        rows = []
        for name, title, short, value in self._lines([measure]):
            ours = value.measure(measure)
            row = [title, short, self.accuracy(ours), self.points(ours.published)]
            row.append(self.signed(ours.mean - ours.published))
            compared = findings.published_comparison(name, value, measure)
            if compared:
                low, high = self.words.points(compared.low), self.words.points(compared.high)
                row += [f"{low} – {high}", self.yes_or_no(compared.inside)]
            else:
                row += [self.cell("none")] * 2
            rows.append(row)
        keys = ("experiment", "value", "ours", "published", "difference", "interval", "inside")
        return markdown.table(self.headings(*keys), rows, "llrrrrl")

    @cached_property
    def _orders(self) -> list[tuple[Experiment, findings.PublishedOrder]]:
        found = [(each, findings.published_order(each)) for each in self.study.experiments]
        return [(experiment, order) for experiment, order in found if order]

    def orders(self) -> str:
        """A table of what the study names as best, has ahead, and what is ahead in ours."""
        rows = [
            [
                self.words.title(experiment),
                self.words.short(order.named) if order.named else self.cell("none"),
                self.words.short(order.foremost),
                self.words.short(order.best),
                self.words.points(order.behind),
                self.p(order.p),
            ]
            for experiment, order in self._orders
        ]
        if not rows:
            return ""
        headings = self.headings("experiment", "named", "foremost", "our_best", "behind", "p")
        return markdown.table(headings, rows, "llllrr")

    def about_orders(self) -> str:
        """In how many experiments the best values agree."""
        orders = [order for _, order in self._orders]
        same = sum(order.claimed is order.best for order in orders)
        return self.text(
            "published.orders" if self.study.n_seeds > 1 else "published.orders_one_seed",
            same=self.words.part("experiments", same, len(orders)),
            contradicted=sum(findings.is_clear(order.p) for order in orders),
        )
