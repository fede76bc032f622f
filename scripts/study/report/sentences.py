"""Findings in words: the report's sentences, chosen by the numbers that they state."""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
from babel.lists import format_list

from study.results import findings, trends
from study.results.experiments import Difference, Experiment, Value
from study.results.findings import Course, Lead, PublishedOrder
from study.spec import settings
from study.spec.schemas import schema
from study.statistics.estimates import Estimate, repeatability
from study.statistics.significance import LEVEL, is_clear
from study.support import markdown
from study.support.language import Language

# Longer lists of values are cut short, and the rest counted.
MOST_LISTED = 5

# Lists of what was tried name more of it, and both ends.
MOST_NAMED = 24

# Smaller p-values are not told apart.
LEAST_P = 0.001


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

    def part(self, what: str, some: int, n: int) -> str:
        """So many of `n` things: `2 of 5 values`, `both values`, `all 5 values`."""
        form = "some" if some < n else {1: "one", 2: "both"}.get(n, "all")
        return self.text(f"parts.{what}.{form}", some=self.number(some), n=self.number(n))

    def points(self, difference: float) -> str:
        """A difference of accuracies, in points."""
        return self.number(100 * difference, 2)

    def one_image(self, images: int) -> str:
        """What one of so many images is worth in points of accuracy."""
        return self.number(100 / images, max(2, math.ceil(math.log10(images)) - 1))

    def signed(self, difference: float) -> str:
        """A difference of accuracies, in points, with its sign."""
        text = self.points(difference)
        return f"+{text}" if difference > 0 and text.strip("0.,") else text

    def nats(self, loss: float) -> str:
        """A loss."""
        return self.number(loss, 3)

    def with_half(self, estimate: Estimate) -> str:
        """The mean in points or per cent without a unit, with its interval where there is one."""
        return self.with_interval(estimate.mean, estimate.low, estimate.high, self.points)

    def with_interval(
        self, mean: float, low: float, high: float, written: Callable[[float], str]
    ) -> str:
        """`mean` ± half its interval; with both ends of one that is cut where numbers end.

        `written` is how such a number is written. An interval that is unknown is left out.
        """
        if math.isnan(mean):
            return self.text("cells.none")
        if math.isnan(low):
            return written(mean)
        if math.isclose(high - mean, mean - low, rel_tol=1e-6):
            return self.text(
                "cells.half", mean=written(mean), half=written((high - low) / 2).lstrip("+")
            )
        return self.text("cells.ends", mean=written(mean), low=written(low), high=written(high))

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
        # Beyond as many as a study can have, their number is not told.
        most = schema()["properties"]["seeds"]["maximum"]
        if seeds > most:
            return self.text("needed.above", n=self.number(most))
        return self.number(seeds)

    def p(self, p: float) -> str:
        """A p-value as `p = 0.012`."""
        key = "below" if p < LEAST_P else "equal"
        return self.text(f"p.{key}", p=self._p_number(p))

    def level(self) -> str:
        """What makes a difference clear: `p < 0.05`."""
        return self.text("p.below", p=self.number(LEVEL, 2))

    def p_alone(self, p: float) -> str:
        """A p-value in a cell, as `0.012` or `< 0.001`; a dash where there is none."""
        if math.isnan(p):
            return self.text("cells.none")
        number = self._p_number(p)
        return f"<\N{NO-BREAK SPACE}{number}" if p < LEAST_P else number

    def _p_number(self, p: float) -> str:
        """With three digits; with more where these would put it on the other side of the level."""
        digits = 3
        while digits < 6 and is_clear(p) and not is_clear(round(p, digits)):
            digits += 1
        return self.number(max(p, LEAST_P), digits)

    def lost(self, value: Value) -> str:
        """How many replicates of a value diverged, in brackets; nothing where none did."""
        return self.lost_of(value.diverged, value.n + value.diverged)

    def lost_of(self, lost: int, replicates: int) -> str:
        """That `lost` of so many replicates diverged, in brackets; nothing where none did."""
        return " " + self.text("cells.lost", n=lost, all=replicates) if lost else ""

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
        """An experiment's value within a sentence, with how many of its replicates diverged."""
        return self.phrase_alone(value) + self.lost(value)

    def phrase_alone(self, value: Value) -> str:
        """An experiment's value within a sentence that says what became of its replicates."""
        return " · ".join(self.setting_phrase(key, item) for key, item in value.varied.items())

    def short(self, value: Value) -> str:
        """An experiment's value in a cell, where the experiment is named beside it."""
        return self.short_alone(value) + self.lost(value)

    def short_alone(self, value: Value) -> str:
        """As `short`, where another cell says what became of its replicates."""
        if len(value.varied) > 1:
            return self.phrase_alone(value)
        return self.value_name(*next(iter(value.varied.items())))

    def phrases(self, values: Sequence[Value], named: Callable[[Value], str] | None = None) -> str:
        """Several values within a sentence; of very many the first, and how many more."""
        told = [(named or self.phrase)(value) for value in values]
        if len(told) > MOST_LISTED:
            rest = len(told) - MOST_LISTED + 1
            told = [*told[: MOST_LISTED - 1], self.counted("further", rest)]
        return self.joined(told)

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


def analysis_of(
    experiment: Experiment, metrics: pd.DataFrame, words: Words, images: int | None = None
) -> list[str]:
    """All that can be said of an experiment's numbers, a paragraph for each finding.

    `images` is the number of validation images, where it is known.
    """
    if not experiment.ranked:
        values = words.part("values", len(experiment.values), len(experiment.values))
        return [words.text("analysis.all_diverged", values=values)]
    paragraphs = [
        *compared(experiment, words, images),
        _running(experiment, metrics, words),
        _gap(experiment, metrics, words),
        _course(experiment.best, metrics, words),
        *_diverged(experiment, words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def compared(experiment: Experiment, words: Words, images: int | None = None) -> list[str]:
    """What the differences between the values say: all that tests are made for."""
    paragraphs = [
        _best(experiment, words, images),
        _spread(experiment, words),
        _trend(experiment, words),
        *_edges(experiment, words),
        _published(findings.published_order(experiment), experiment, words),
    ]
    return [paragraph for paragraph in paragraphs if paragraph]


def _best(experiment: Experiment, words: Words, images: int | None) -> str:
    best = experiment.best
    values = {"best": words.phrase(best), "accuracy": words.percent(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        key = "best_only" if len(experiment.ranked) > 1 else "best_alone"
        return words.text(f"analysis.{key}", **values)
    sentences = [*_lead(lead, experiment, values, words), *_not_counted(experiment, words)]
    if _verdict(lead, experiment) == "flat" and images:
        sentences.append(words.text("analysis.one_image", points=words.one_image(images)))
    return " ".join(sentences)


def _lead(
    lead: Lead, experiment: Experiment, values: dict[str, str], words: Words
) -> Iterator[str]:
    if len(experiment.bests) > 1:
        first, *others = map(words.phrase, experiment.bests)
        values["values"] = words.joined([f"**{first}**", *others])
        yield words.text("analysis.best_level", **values)
        return
    values |= {"runner_up": words.phrase(lead.runner_up), "lead": words.points(lead.size)}
    verdict = _verdict(lead, experiment)
    if lead.is_tested:
        values |= _in_words(lead.difference, words)
    yield words.text(f"analysis.best_{verdict}", **values)
    if verdict == "unclear" and not math.isnan(lead.difference.high):
        yield words.text("analysis.open", **values)
    others = [value for value in lead.equals if value is not lead.runner_up]
    if others:
        key = "equals_though" if lead.is_clear else "equals_also"
        yield words.text(f"analysis.{key}", values=words.phrases(others))


def _not_counted(experiment: Experiment, words: Words) -> Iterator[str]:
    """The values that are left out of best and worst because more of their replicates diverged."""
    left_out = experiment.ranked[len(experiment.contenders) :]
    if left_out:
        yield words.text("analysis.not_counted", values=words.phrases(left_out))


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
    if lead.best.n > 1 and lead.runner_up.n > 1:
        return "flat"
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
    if not math.isnan(trend.slope.low):
        key = "slope_clear" if findings.is_clear(trend.p) else "slope_unclear"
        slope = {
            "slope": words.signed(trend.slope.size),
            "low": words.signed(trend.slope.low),
            "high": words.signed(trend.slope.high),
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
        sentences = [
            words.text(
                f"analysis.edge_{edge.side}",
                setting=words.setting_name(edge.key),
                value=words.setting_phrase(edge.key, edge.best.varied[edge.key]),
                accuracy=words.percent(edge.best.validation.mean),
            )
        ]
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
        values=words.part("values", len(gap.below) or gap.count, gap.count),
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
    # A single seed, and several that agree, have no interval: the gap is told as it is.
    low, high = (gap.mean, gap.mean) if math.isnan(gap.low) else (gap.low, gap.high)
    verdict = "gap" if low > 0 else "no_gap" if high <= 0 else "gap_open"
    return words.text(
        f"{place}.{verdict}",
        widest=words.points(gap.high),
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


def _published(order: PublishedOrder | None, experiment: Experiment, words: Words) -> str:
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
    if order.claimed not in experiment.contenders:
        sentences.append(words.text("analysis.behind_lost", **values))
    elif not agrees and is_tested:
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
        values = words.phrases(experiment.lost, words.phrase_alone)
        yield words.text("analysis.diverged_all", values=values)
    for value in experiment.ranked:
        if value.diverged:
            yield words.text(
                "analysis.diverged_some",
                value=words.phrase_alone(value),
                accuracy=words.percent(value.validation.mean),
                diverged=value.diverged,
                seeds=value.n + value.diverged,
            )


def recommendation(experiment: Experiment, words: Words) -> str:
    """The best value of an experiment, with how sure one can be of it."""
    title = words.title(experiment)
    if not experiment.best:
        tried = words.part("values", len(experiment.values), len(experiment.values))
        return words.text("conclusions.nothing", experiment=title, values=tried)
    best = experiment.best
    values = {"accuracy": words.percent(best.validation.mean)}
    lead = findings.lead(experiment)
    if lead is None:
        verdict = "only" if len(experiment.ranked) > 1 else "alone"
    elif len(experiment.bests) > 1 and not lead.is_tested:
        verdict = "level"
        values["values"] = words.joined(list(map(words.phrase, experiment.bests[1:])))
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
    key = key if taken else "final_follows_none"
    if not (taken and others):
        key += ".one" if len(best) == 1 else ".other"
    return words.text(
        f"conclusions.{key}",
        taken=words.joined(taken),
        others=words.joined(others),
    )


def final_to_paste(chosen: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """A final model of the settings `chosen` as a config has it: `final: {optimizer: adam}`."""
    start = settings.complete(baseline)
    told = [
        f"{key}: {value if isinstance(value, list) else settings.text(value)}"
        for key, value in settings.complete(chosen).items()
        if value != start[key]
    ]
    return f"`final: {{{', '.join(told)}}}`"


def seeds_in_words(seeds: Sequence[int], words: Words) -> str:
    """The seeds, as a range where they follow each other: `0–4`."""
    ranges = []
    for _, group in itertools.groupby(enumerate(sorted(seeds)), lambda pair: pair[1] - pair[0]):
        numbers = [seed for _, seed in group]
        is_range = len(numbers) > 2
        ranges += [f"{numbers[0]}–{numbers[-1]}"] if is_range else map(str, numbers)
    return words.joined(ranges)
