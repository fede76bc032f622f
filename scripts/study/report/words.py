"""The report's words: its catalogue in one language, and numbers as it writes them."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from babel.lists import format_list

from study.results.experiments import ExperimentResult, ValueResult
from study.spec import settings
from study.spec.schemas import schema
from study.statistics.estimates import Estimate
from study.statistics.significance import LEVEL, is_clear
from study.support import markdown
from study.support.language import SCORE_DIGITS, Language

# Longer lists of values are cut short, and the rest counted.
MOST_LISTED = 5

# Lists of what was tried name more of it, and both ends.
MOST_NAMED = 24

# Smaller p-values are not told apart.
LEAST_P = 0.001


class Words:
    """The report's catalogue in one language, and numbers as it writes them.

    `text` and the like give plain Markdown. Accuracies are fractions and become per cent, their
    differences points; scores that are no shares have three decimals, and so their differences.
    """

    def __init__(self, language: Language):
        self.language = language

    def text(self, key: str, **values: Any) -> str:
        """The report's sentence under `key`."""
        return self.language.text(f"report.{key}", **values)

    def counted(self, what: str, n: int) -> str:
        """`n` things, such as `1 seed` or `5 seeds`."""
        return self.text(f"{what}.{'one' if n == 1 else 'other'}", n=self.number(n))

    def seeds(self, least: int, most: int) -> str:
        """`5 seeds`, or `3 to 9 seeds`."""
        if least == most:
            return self.counted("seeds", most)
        return self.text("seeds.range", least=self.number(least), most=self.number(most))

    def number(self, value: float, digits: int = 0) -> str:
        """A number in the language's form."""
        return self.language.number(value, digits)

    def percent(self, share: float) -> str:
        """A share with its sign of per cent."""
        return self.language.percent(share)

    def score(self, score: float) -> str:
        """A score: an accuracy with its sign of per cent, R² as it is."""
        return self.language.score(score)

    def part(self, what: str, some: int, n: int) -> str:
        """So many of `n` things: `2 of 5 values`, `both values`, `all 5 values`."""
        form = "some" if some < n else {1: "one", 2: "both"}.get(n, "all")
        return self.text(f"parts.{what}.{form}", some=self.number(some), n=self.number(n))

    def points(self, difference: float) -> str:
        """A difference of scores: of accuracies in points, of R² as it is."""
        if self.language.scores_in_percent:
            return self.number(100 * difference, 2)
        return self.number(difference, SCORE_DIGITS)

    def one_image(self, images: int) -> str:
        """What one of so many images is worth in points of accuracy."""
        return self.number(100 / images, max(2, math.ceil(math.log10(images)) - 1))

    def signed(self, difference: float) -> str:
        """A difference of scores, as `points` has it, with its sign."""
        text = self.points(difference)
        return f"+{text}" if difference > 0 and text.strip("0.,") else text

    def nats(self, loss: float) -> str:
        """A loss."""
        return self.number(loss, 3)

    def with_half(self, estimate: Estimate) -> str:
        """A score's mean, without a sign of per cent, with its interval where there is one."""
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

    def lost(self, value: ValueResult) -> str:
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

    def phrase(self, value: ValueResult) -> str:
        """An experiment's value within a sentence, with how many of its replicates diverged."""
        return self.phrase_alone(value) + self.lost(value)

    def phrase_alone(self, value: ValueResult) -> str:
        """An experiment's value within a sentence that says what became of its replicates."""
        return " · ".join(self.setting_phrase(key, item) for key, item in value.varied.items())

    def short(self, value: ValueResult) -> str:
        """An experiment's value in a cell, where the experiment is named beside it."""
        return self.short_alone(value) + self.lost(value)

    def short_alone(self, value: ValueResult) -> str:
        """As `short`, where another cell says what became of its replicates."""
        if len(value.varied) > 1:
            return self.phrase_alone(value)
        return self.value_name(*next(iter(value.varied.items())))

    def phrases(
        self, values: Sequence[ValueResult], named: Callable[[ValueResult], str] | None = None
    ) -> str:
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

    def title(self, experiment: ExperimentResult) -> str:
        """What an experiment varies, as a heading."""
        first, *others = experiment.keys
        names = " × ".join([self.setting_title(first), *map(self.setting_name, others)])
        return self._named(names, experiment)

    def label(self, experiment: ExperimentResult) -> str:
        """What an experiment varies, within a sentence."""
        return self._named(" × ".join(map(self.setting_name, experiment.keys)), experiment)

    def _named(self, heading: str, experiment: ExperimentResult) -> str:
        if experiment.keys == [experiment.name]:
            return heading
        name = markdown.escaped(experiment.name)
        return self.text("experiments.named", heading=heading, name=name)
