"""Findings in words: the report's sentences, chosen by the numbers that they state."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from babel.lists import format_list

from study.results import findings, trends
from study.results.experiments import Difference, Experiment, Value
from study.results.findings import Course, Lead, PublishedOrder
from study.spec import settings
from study.spec.config import schema
from study.statistics.estimates import Estimate, repeatability
from study.support import markdown
from study.support.language import Language

# Longer lists of values are cut short, and the rest counted.
MOST_LISTED = 5

# Lists of what was tried name more of it, and both ends.
MOST_NAMED = 24

# Beyond as many seeds as a study can have, their number is not told.
MOST_SEEDS = schema()["properties"]["seeds"]["maximum"]


class Words:
    """The report's catalogue in one language, and numbers as it writes them.

    `text` and the like give plain Markdown; accuracies are fractions and become per cent, their
    differences points.
    """

    def __init__(self, language: Language):
        self.language = language

    def text(self, key: str, **values: Any) -> str:
        """The report's sentence under `key`."""
        return self.language.text(f"report.{key}", **values)

    def counted(self, what: str, n: int) -> str:
        """`n` things, such as `1 seed` or `5 seeds`."""
        return self.text(f"{what}.{'one' if n == 1 else 'other'}", n=self.number(n))

    def number(self, value: float, digits: int = 0) -> str:
        """A number in the language's form."""
        return self.language.number(value, digits)

    def percent(self, accuracy: float) -> str:
        """An accuracy with its sign of per cent."""
        return self.language.percent(accuracy, 2)

    def points(self, difference: float) -> str:
        """A difference of accuracies, in points."""
        text = self.number(100 * abs(difference), 2)
        return f"−{text}" if round(100 * difference, 2) < 0 else text

    def signed(self, difference: float) -> str:
        """A difference of accuracies, in points, with its sign."""
        text = self.points(difference)
        return text if round(100 * difference, 2) <= 0 else f"+{text}"

    def nats(self, loss: float) -> str:
        """A loss."""
        return self.number(loss, 3)

    def with_half(self, estimate: Estimate) -> str:
        """The mean in points or per cent without a unit, ± half the interval where there is one."""
        if math.isnan(estimate.mean):
            return self.text("cells.none")
        if math.isnan(estimate.half):
            return self.points(estimate.mean)
        return f"{self.points(estimate.mean)} ± {self.points(estimate.half)}"

    def chance(self, probability: float) -> str:
        """A probability in whole per cent, of which 100 and 0 are never quite reached."""
        if math.isnan(probability):
            return self.text("cells.none")
        percent = self.language.percent
        if probability > 0.99:
            return self.text("chance.above", chance=percent(0.99, 0))
        if probability < 0.01:
            return self.text("chance.below", chance=percent(0.01, 0))
        return percent(probability, 0)

    def needed(self, seeds: float) -> str:
        """How many seeds it takes: `12`, or `over 1,000`."""
        if math.isnan(seeds):
            return self.text("cells.none")
        if seeds > MOST_SEEDS:
            return self.text("needed.above", n=self.number(MOST_SEEDS))
        return self.number(seeds)

    def p(self, p: float) -> str:
        """A p-value as `p = 0.012`."""
        if p < 0.001:
            return self.text("p.below", p=self.number(0.001, 3))
        return self.text("p.equal", p=self.number(p, 3))

    def joined(self, items: Sequence[str]) -> str:
        """`a, b and c`, however the language puts it."""
        return format_list(list(items), locale=self.language.code)

    def listed(self, items: Sequence[str]) -> str:
        """`a; b; c`; of very many the first and the last, and how many there are."""
        if len(items) <= MOST_NAMED:
            return "; ".join(items)
        shown = "; ".join([*items[: MOST_NAMED // 2], "…", *items[-(MOST_NAMED // 2) :]])
        return self.text("listed", shown=shown, count=self.number(len(items)))

    def value_name(self, key: str, value: Any) -> str:
        """The value of a setting as a reader knows it: `SGD`, `0.001`, `yes`."""
        text = settings.text(value)
        if isinstance(value, bool):
            return self.language.text(f"values.{text}")
        known = self.language.entry(f"settings.{key}").get("values", {})
        return known[text]["name"] if text in known else self.language.value(text)

    def setting_phrase(self, key: str, value: Any) -> str:
        """The value of a setting within a sentence: `batches of 32`."""
        name = self.value_name(key, value)
        match self.language.entry(f"report.phrases.{key}"):
            case {"one": _, "other": _}:
                return self.text(f"phrases.{key}.{'one' if value == 1 else 'other'}", value=name)
            case {"true": _, "false": _}:
                return self.text(f"phrases.{key}.{settings.text(value)}")
        return self.text(f"phrases.{key}", value=name)

    def phrase(self, value: Value) -> str:
        """An experiment's value within a sentence."""
        return " · ".join(self.setting_phrase(key, item) for key, item in value.varied.items())

    def short(self, value: Value) -> str:
        """An experiment's value in a cell, where the experiment is named beside it."""
        if len(value.varied) > 1:
            return self.phrase(value)
        return self.value_name(*next(iter(value.varied.items())))

    def phrases(self, values: Sequence[Value]) -> str:
        """Several values within a sentence; of very many the first, and how many more."""
        named = [self.phrase(value) for value in values]
        if len(named) > MOST_LISTED:
            rest = len(named) - MOST_LISTED + 1
            named = [*named[: MOST_LISTED - 1], self.text("further", n=rest)]
        return self.joined(named)

    def settings(self, chosen: Mapping[str, Any], keys: Sequence[str]) -> str:
        """Settings as a list: `optimizer SGD; dropout 0.2`."""
        return "; ".join(
            f"{self.setting_name(key)} {self.value_name(key, chosen[key])}" for key in keys
        )

    def setting_name(self, key: str) -> str:
        """A setting's name within a sentence."""
        return self.language.text(f"settings.{key}.name")

    def setting_title(self, key: str) -> str:
        """A setting's name as a heading."""
        return self.language.text(f"settings.{key}.title")

    def title(self, experiment: Experiment) -> str:
        """What an experiment varies, as a heading."""
        first, *others = experiment.keys
        names = " × ".join([self.setting_title(first), *map(self.setting_name, others)])
        return self._named(names, experiment)

    def label(self, experiment: Experiment) -> str:
        """What an experiment varies, within a sentence."""
        return self._named(" × ".join(map(self.setting_name, experiment.keys)), experiment)

    def _named(self, heading: str, experiment: Experiment) -> str:
        if experiment.keys == [experiment.name]:
            return heading
        name = markdown.escaped(experiment.name)
        return self.text("experiments.named", heading=heading, name=name)


def analysis_of(experiment: Experiment, metrics: pd.DataFrame, words: Words) -> list[str]:
    """All that can be said of an experiment's numbers, a paragraph for each finding."""
    if not experiment.ranked:
        return [words.text("analysis.all_diverged", count=len(experiment.values))]
    paragraphs = [
        *compared(experiment, words),
        _running(experiment, metrics, words),
        _gap(experiment, metrics, words),
        _course(experiment.best, metrics, words),
        *_diverged(experiment, words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def compared(experiment: Experiment, words: Words) -> list[str]:
    """What the differences between the values say: all that tests are made for."""
    paragraphs = [
        _best(experiment, words),
        _spread(experiment, words),
        _trend(experiment, words),
        *_edges(experiment, words),
        _published(findings.published_order(experiment), words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def _best(experiment: Experiment, words: Words) -> str:
    best = experiment.best
    values = {"best": words.phrase(best), "accuracy": words.percent(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        return words.text("analysis.best_alone", **values)
    values |= {"runner_up": words.phrase(lead.runner_up), "lead": words.points(lead.size)}
    if lead.size == 0:
        return words.text("analysis.best_level", **values)
    verdict = _verdict(lead, experiment)
    if lead.is_tested:
        values |= _in_words(lead.difference, words)
    sentences = [words.text(f"analysis.best_{verdict}", **values)]
    if verdict == "unclear" and not math.isnan(lead.difference.high):
        sentences.append(words.text("analysis.open", **values))
    others = [value for value in lead.equals if value is not lead.runner_up]
    if others:
        key = "equals_though" if lead.is_clear else "equals_also"
        sentences.append(words.text(f"analysis.{key}", values=words.phrases(others)))
    return " ".join(sentences)


def _in_words(difference: Difference, words: Words) -> dict[str, str]:
    """What a sentence may tell of a difference that was tested."""
    return {
        "p": words.p(difference.p_corrected),
        "low": words.signed(difference.low),
        "high": words.signed(difference.high),
        "widest": words.points(difference.high),
        "apart": words.points(repeatability(difference.noise)),
        "chance": words.chance(difference.superiority),
        "seeds": words.counted("seeds", difference.value.n),
        "needed": words.needed(difference.seeds_needed),
    }


def _verdict(lead: Lead, experiment: Experiment) -> str:
    if lead.is_clear:
        return "small" if lead.difference.is_small else "clear"
    if lead.is_tested:
        return "unclear"
    return (
        "few" if any(value.n > 1 or value.diverged for value in experiment.values) else "untested"
    )


def _spread(experiment: Experiment, words: Words) -> str:
    spread = findings.spread(experiment)
    if spread is None or spread.size == 0:
        return ""
    values = {
        "worst": words.phrase(spread.worst),
        "accuracy": words.percent(spread.worst.validation.mean),
        "size": words.points(spread.size),
    }
    if not spread.noise > 0:
        return words.text("analysis.spread_without_noise", **values)
    ratio = spread.size / spread.noise
    values |= {
        "ratio": words.number(ratio, 1 if ratio < 10 else 0),
        "noise": words.points(spread.noise),
    }
    sentences = [words.text("analysis.spread", **values)]
    if spread.pairs > 1:
        pairs = {"clear": spread.clear_pairs, "pairs": spread.pairs}
        sentences.append(words.text("analysis.pairs", **pairs))
    return " ".join(sentences)


def _trend(experiment: Experiment, words: Words) -> str:
    trend = trends.trend(experiment)
    if trend is None:
        return ""
    values: dict[str, Any] = {"rises": trend.rises, "steps": trend.steps}
    for name in ("first", "last", "peak"):
        value = getattr(trend, name)
        values |= {
            name: words.phrase(value),
            f"{name}_accuracy": words.percent(value.validation.mean),
        }
    sentences = [words.text(f"analysis.trend_{trend.shape}", **values)]
    if not math.isnan(trend.slope.half):
        key = "slope_clear" if findings.is_clear(trend.p) else "slope_unclear"
        slope = {
            "slope": words.signed(trend.slope.size),
            "low": words.signed(trend.slope.size - trend.slope.half),
            "high": words.signed(trend.slope.size + trend.slope.half),
            "p": words.p(trend.p),
        }
        steps = {"clear": trend.clear_steps, "steps": trend.steps}
        sentences += [
            words.text("analysis.steps", **steps),
            words.text(f"analysis.{key}", **slope),
        ]
    return " ".join(sentences)


def _edges(experiment: Experiment, words: Words) -> Iterator[str]:
    for edge in trends.edges(experiment):
        key = "edge_largest" if edge.is_largest else "edge_smallest"
        value = words.setting_phrase(edge.key, edge.best.varied[edge.key])
        accuracy = words.percent(edge.best.validation.mean)
        sentences = [words.text(f"analysis.{key}", value=value, accuracy=accuracy)]
        if edge.to_try:
            sentences.append(words.text("analysis.to_try", values=to_paste(edge.key, edge.to_try)))
        yield " ".join(sentences)


def to_paste(key: str, values: Sequence[Any]) -> str:
    """Values of a setting as a config lists them: `learning_rate: [0.1, 1.0]`."""
    texts = [str(value) if isinstance(value, list) else settings.text(value) for value in values]
    return f"`{key}: [{', '.join(texts)}]`"


def _running(experiment: Experiment, metrics: pd.DataFrame, words: Words) -> str:
    gap = findings.running_gap(experiment)
    seen = findings.seen_accuracy(gap.widest, metrics).mean
    return words.text(
        "analysis.running" if gap.below else "analysis.running_above",
        below=len(gap.below),
        count=gap.count,
        widest=words.phrase(gap.widest),
        train=words.percent(gap.widest.train.mean),
        validation=words.percent(gap.widest.validation.mean),
        seen=words.percent(seen),
        hidden=words.signed(seen - gap.widest.train.mean),
    )


def _gap(experiment: Experiment, metrics: pd.DataFrame, words: Words) -> str:
    value, gap = findings.widest_gap(experiment, metrics)
    return gap_in_words("analysis", value, gap, metrics, words)


def gap_in_words(
    place: str, value: Value, gap: Estimate, metrics: pd.DataFrame, words: Words
) -> str:
    """The distance of images learnt from to validation images, from the catalogue's `place`."""
    is_shown = gap.mean > 0 if math.isnan(gap.low) else gap.low > 0
    return words.text(
        f"{place}.{'gap' if is_shown else 'no_gap'}",
        value=words.phrase(value),
        gap=words.with_half(gap),
        seen=words.percent(findings.seen_accuracy(value, metrics).mean),
        validation=words.percent(value.validation.mean),
    )


def _course(best: Value, metrics: pd.DataFrame, words: Words) -> str:
    if best.epochs == 1:
        return ""
    return course_in_words(findings.course(best, metrics), words.phrase(best), words)


def course_in_words(course: Course, name: str, words: Words) -> str:
    """How the validation loss of a value, called `name`, went over two epochs or more."""
    if course.is_falling:
        verdict = "falling"
    elif math.isnan(course.rise.low):
        verdict = "one_seed"
    else:
        verdict = "rising" if course.rise.low > 0 else "level"
    return words.text(
        f"analysis.course_{verdict}",
        value=name,
        epoch=words.number(course.lowest_epoch),
        epochs=words.number(course.value.epochs),
        lowest=words.nats(course.lowest),
        last=words.nats(course.last),
        gained=words.signed(course.gained),
    )


def _published(order: PublishedOrder | None, words: Words) -> str:
    if order is None:
        return ""
    agrees = order.claimed is order.best
    differs_from_itself = order.claimed is not order.foremost
    key = {
        (True, False): "published_agrees",
        (True, True): "published_agrees_despite",
        (False, False): "published_differs",
        (False, True): "published_differs_itself",
    }[agrees, differs_from_itself]
    values = {
        "claimed": words.phrase(order.claimed),
        "accuracy": words.percent(order.claimed.validation.published),
        "foremost": words.phrase(order.foremost),
        "foremost_accuracy": words.percent(order.foremost.validation.published),
        "ours": words.percent(order.claimed.validation.mean),
        "best": words.phrase(order.best),
        "behind": words.points(order.behind),
    }
    sentences = [words.text(f"analysis.{key}", **values)]
    is_tested = not math.isnan(order.p)
    if not agrees and is_tested:
        key = "behind_clear" if findings.is_clear(order.p) else "behind_unclear"
        sentences.append(words.text(f"analysis.{key}", **values, p=words.p(order.p)))
    elif not agrees:
        sentences.append(words.text("analysis.behind_untested", **values))
    if order.pairs:
        pairs = {"agreeing": order.agreeing, "pairs": order.pairs}
        sentences.append(words.text("analysis.published_pairs", **pairs))
    return " ".join(sentences)


def _diverged(experiment: Experiment, words: Words) -> Iterator[str]:
    if experiment.lost:
        yield words.text("analysis.diverged_all", values=words.phrases(experiment.lost))
    for value in experiment.ranked:
        if value.diverged:
            yield words.text(
                "analysis.diverged_some",
                value=words.phrase(value),
                diverged=value.diverged,
                seeds=value.n + value.diverged,
            )


def recommendation(experiment: Experiment, words: Words) -> str:
    """The best value of an experiment, with how sure one can be of it."""
    title = words.title(experiment)
    if not experiment.best:
        return words.text("conclusions.nothing", experiment=title, count=len(experiment.values))
    best = experiment.best
    values = {"accuracy": words.percent(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        verdict = "alone"
    else:
        verdict = _verdict(lead, experiment)
        values |= {"runner_up": words.phrase(lead.runner_up), "lead": words.points(lead.size)}
        if lead.equals:
            verdict = "unclear"
            values["values"] = words.phrases(lead.equals)
        elif lead.is_clear:
            values["p"] = words.p(lead.p)
    named = words.text("conclusions.recommended", experiment=title, best=words.short(best))
    return f"{named} {words.text(f'conclusions.{verdict}', **values)}"


def followed(final: Mapping[str, Any], best: Mapping[str, Any], words: Words) -> str:
    """Which of the best values of single settings the final model takes."""
    taken = [words.setting_phrase(key, best[key]) for key in best if final[key] == best[key]]
    others = [words.setting_phrase(key, final[key]) for key in best if final[key] != best[key]]
    key = "final_follows" if taken and others else "final_follows_all"
    return words.text(
        f"conclusions.{key if taken else 'final_follows_none'}",
        taken=words.joined(taken),
        others=words.joined(others),
    )


def seeds_in_words(seeds: Sequence[int], words: Words) -> str:
    """The seeds, as a range where they follow each other: `0–4`."""
    ranges = []
    for _, group in itertools.groupby(enumerate(sorted(seeds)), lambda pair: pair[1] - pair[0]):
        numbers = [seed for _, seed in group]
        is_range = len(numbers) > 2
        ranges += [f"{numbers[0]}–{numbers[-1]}"] if is_range else map(str, numbers)
    return words.joined(ranges)
