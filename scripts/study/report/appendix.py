"""The report's appendix: what made the numbers, and how long it took."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from study.report.part import EXTREMES, MOST_ROWS, Part
from study.report.words import Words
from study.spec import settings
from study.support import markdown

MACHINE = ("processor", "cores", "system")


class Appendix(Part):
    """Who made the numbers, and how long it took."""

    def software(self) -> str:
        """A table of what made the runs: where they differ, with how many runs each."""
        told: dict[str, Counter[str]] = defaultdict(Counter)
        for made_by in self.study.made_by:
            described = {
                self.text(
                    "appendix.commit"
                ): f"`{re.sub('[^A-Za-z0-9._-]', '', made_by['commit'])}`",
                # In an order of its own: a saved state does not keep that of the process.
                **_escaped(dict(sorted(made_by["versions"].items()))),
                **_escaped(
                    {self.text(f"appendix.{key}"): made_by["machine"][key] for key in MACHINE}
                ),
                self.text("appendix.devices"): markdown.escaped(
                    self.words.joined(made_by["devices"])
                ),
            }
            for part, value in described.items():
                told[part][value] += 1
        rows = [[part, "; ".join(self._shares(values))] for part, values in told.items()]
        rows.insert(0, [self.text("appendix.plan"), f"`{self.study.digest}`"])
        return self.rows(self.headings("part", "version"), rows, "ll")

    def _shares(self, values: Counter[str]) -> list[str]:
        if len(values) == 1:
            return list(values)
        return [
            self.text("appendix.part", value=value, runs=self.words.counted("appendix.runs", n))
            for value, n in values.most_common()
        ]

    def seeds(self) -> str:
        """The study's seeds and those that runs have further, ranges of them shortened."""
        plan = self.study.plan
        known = {*plan.seeds, *(seed for run in plan.runs for seed in run.seeds)}
        seeds = seeds_in_words(sorted(known), self.words)
        return self.text("appendix.seeds", seeds=seeds)

    def times_note(self) -> str:
        """What the times are, and their sum."""
        total = self.words.number(self.study.metrics["seconds"].sum(), 1)
        return self.text("appendix.times_note", total=total)

    def times(self) -> str:
        """A table of how long each run took; of many, the longest and the shortest."""
        seconds = self.study.metrics.groupby("run")["seconds"]
        total, median = seconds.sum(), seconds.median()
        runs = self.study.plan.runs
        if len(runs) > MOST_ROWS:
            ranked = sorted(runs, key=lambda run: -total[run.run])
            runs = [*ranked[:EXTREMES], *ranked[-EXTREMES:]]
        rows = [
            [
                f"`{run.run}`",
                self.words.number(run.epochs),
                self.words.number(total[run.run], 1),
                self.words.number(median[run.run], 3),
            ]
            for run in runs
        ]
        headings = self.headings("run", "epochs", "total_seconds", "epoch_seconds")
        return self.rows(headings, rows, "lrrr")

    def times_left_out(self) -> str:
        """How many runs the table of times leaves out; nothing where it has them all."""
        count = len(self.study.plan.runs)
        if count <= MOST_ROWS:
            return ""
        return self.text(
            "appendix.times_left_out",
            shown=EXTREMES,
            count=self.words.counted("appendix.runs", count - 2 * EXTREMES),
        )

    def ignored(self) -> list[str]:
        """The settings that an optimizer ignores, though they are not at their defaults."""
        places = [
            (self.words.title(experiment), experiment.settings_of(value))
            for experiment, value in self.study.values
        ]
        if self.study.final:
            places.append((self.text("final.title"), self.study.final.varied))
        found = []
        for place, chosen in places:
            keys = [
                key
                for key in settings.USED_BY
                if not settings.is_used(key, chosen["optimizer"])
                and chosen[key] != self.study.plan.hyperparameters.default(key)
            ]
            if keys:
                optimizer = self.words.value_name("optimizer", chosen["optimizer"])
                listed = self.words.settings(chosen, keys)
                found.append(
                    self.text(
                        "appendix.ignored_item", place=place, optimizer=optimizer, settings=listed
                    )
                )
        return list(dict.fromkeys(found))


def _escaped(texts: Mapping[str, str]) -> dict[str, str]:
    return {markdown.escaped(name): markdown.escaped(text) for name, text in texts.items()}


def seeds_in_words(seeds: Sequence[int], words: Words) -> str:
    """The seeds, as a range where they follow each other: `0–4`."""
    ranges = []
    for _, group in itertools.groupby(enumerate(sorted(seeds)), lambda pair: pair[1] - pair[0]):
        numbers = [seed for _, seed in group]
        is_range = len(numbers) > 2
        ranges += [f"{numbers[0]}–{numbers[-1]}"] if is_range else map(str, numbers)
    return words.joined(ranges)
