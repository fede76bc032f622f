"""The report's parts that describe the study, as Markdown that the template puts in order."""

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from study.report import sentences
from study.report.data import Study
from study.report.sentences import Words
from study.results import findings, published
from study.results.experiments import are_paired, rank
from study.results.findings import Experiment
from study.spec import settings
from study.statistics import significance
from study.support import markdown

# The training images that are classified again, without dropout, after every epoch.
SEEN_IMAGES = 10_000

# Of longer tables only the first and the last rows are shown.
MOST_ROWS = 40
EXTREMES = 20

MACHINE = ("processor", "cores", "system")


class Part:
    """What all parts share: the study, the words, and how figures, tables and cells are written."""

    def __init__(self, study: Study, words: Words, figures: str):
        self.study = study
        self.words = words
        self.figures = figures
        self.text = words.text

    def figure(self, name: str, alternative: str) -> str:
        """A figure of the study with its alternative text."""
        alternative = re.sub(r"\\?[\[\]]", "", alternative)
        return f"![{alternative}]({self.figures}/{name}.{self.words.language.code}.png)"

    def table(self, columns: Mapping[str, Sequence[str]], alignment: str) -> str:
        """A table of named columns."""
        return markdown.table(list(columns), list(zip(*columns.values(), strict=True)), alignment)

    def headings(self, *keys: str) -> list[str]:
        """The headings of a table's columns."""
        return [self.text(f"columns.{key}") for key in keys]

    def cell(self, key: str) -> str:
        """A word that stands alone in a cell."""
        return self.text(f"cells.{key}")

    def yes_or_no(self, is_so: bool) -> str:
        """A truth value in a cell."""
        return self.cell("yes" if is_so else "no")

    def points(self, accuracy: float) -> str:
        """An accuracy in a cell, per cent without the sign; a dash where there is none."""
        return self.cell("none") if np.isnan(accuracy) else self.words.points(accuracy)

    def signed(self, difference: float) -> str:
        """A difference in a cell, in points; a dash where there is none."""
        return self.cell("none") if np.isnan(difference) else self.words.signed(difference)

    def p(self, p: float) -> str:
        """A p-value in a cell; a dash where there is none."""
        return self.words.p_alone(p)

    def is_clear(self, p: float) -> str:
        """Whether a p-value makes a difference clear, in a cell; a dash where there is none."""
        return self.cell("none") if np.isnan(p) else self.yes_or_no(findings.is_clear(p))

    @property
    def dataset(self) -> str:
        """The name of the data set."""
        return markdown.escaped(self.study.data.dataset.name)

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        names = self.study.data.targets.in_language(self.words.language.code)
        return [markdown.escaped(name) for name in names]

    @property
    def n_seeds(self) -> str:
        """`5 seeds`."""
        return self.words.counted("seeds", self.study.n_seeds)

    @property
    def validation_note(self) -> str:
        """What the validation images are, to be said beside every table."""
        return self.text(f"method.validation.{self._validated_from}.note")

    def most_frequent(self, part: str) -> dict[str, str]:
        """The most frequent class of a part of the images, or several, and its share."""
        counts = self.study.class_counts[part]
        names = [self.classes[place] for place in counts.most_frequent]
        return {"classes": " / ".join(names), "share": self.words.percent(counts.share)}

    @property
    def _validated_from(self) -> str:
        """The part of the data set that the validation images come from."""
        validation = self.study.plan.validation
        return validation if validation == "test" else validation["from"]

    def worth_naming(self, chosen: Mapping[str, Any], without: Sequence[str] = ()) -> list[str]:
        """The settings that the optimizer uses and that are not left at a neutral default."""
        return [
            key
            for key in settings.names()
            if key not in without
            and settings.is_used(key, chosen["optimizer"])
            and (key in (*settings.ALWAYS_NAMED, "epochs") or chosen[key] != settings.default(key))
        ]

    def spreads(self) -> list[tuple[Experiment, float]]:
        """Experiments with the distance between their best and worst value, the largest first."""
        found = [(each, findings.spread(each)) for each in self.study.experiments]
        sizes = [(experiment, spread.size) for experiment, spread in found if spread]
        return sorted(sizes, key=lambda item: -item[1])


class Introduction(Part):
    """What came out in brief, what the study asks, and how it was done."""

    def missing(self) -> list[str]:
        """The values that a partial report lacks; of very many the first."""
        missing = self.study.plan.missing
        if len(missing) <= MOST_ROWS:
            return missing
        return [*missing[:MOST_ROWS], self.words.counted("further", len(missing) - MOST_ROWS)]

    def brief(self) -> Iterator[str]:
        """The main results, a paragraph each."""
        words, study = self.words, self.study
        match self.spreads():
            case []:
                pass
            case [(experiment, size)]:
                yield self.text(
                    "brief.effect", experiment=words.title(experiment), size=words.points(size)
                )
            case spreads:
                yield self._effects(spreads)
        yield from self._clear_effects()
        yield from self._best()
        yield from self._final()
        if study.class_counts["validation"].is_unbalanced:
            yield self.text("brief.unbalanced", **self.most_frequent("validation"))
        compared = [each for each in study.comparisons if each.measure == "validation_accuracy"]
        if compared:
            yield self.text(
                "brief.published",
                inside=sum(each.inside for each in study.comparisons),
                count=len(study.comparisons),
                distance=words.points(findings.mean_distance(compared)),
            )

    def _effects(self, spreads: Sequence[tuple[Experiment, float]]) -> str:
        """Which experiments have the largest and the smallest effect, of two or more."""
        named: dict[str, list[str]] = {}
        for experiment, size in spreads:
            named.setdefault(self.words.points(size), []).append(self.words.label(experiment))
        [(size, largest), *_] = named.items()
        if len(named) == 1:
            return self.text("brief.effects_equal", count=len(spreads), size=size)
        [*_, (least, smallest)] = named.items()
        return self.text(
            "brief.effects",
            count=len(spreads),
            largest=self.words.joined(largest),
            size=size,
            smallest=self.words.joined(smallest),
            least=least,
        )

    def _clear_effects(self) -> Iterator[str]:
        """How many of the effects are more than noise."""
        found = [spread for each in self.study.experiments if (spread := findings.spread(each))]
        clear = sum(spread.clear_pairs > 0 for spread in found)
        if not found:
            return
        if not any(spread.pairs for spread in found):
            yield self.text("brief.untested", seeds=self.n_seeds)
        elif not clear:
            yield self.text("brief.unclear", seeds=self.n_seeds)
        elif len(found) > 1:
            experiments = self.words.part("experiments", clear, len(found))
            yield self.text("brief.clear", experiments=experiments)

    def _best(self) -> Iterator[str]:
        """The best value of all, or several that are as good."""
        alive = [value for _, value in self.study.values if value.n]
        if not alive:
            return
        first = min(alive, key=rank)
        bests = [value for value in alive if rank(value) == rank(first)]
        named = dict.fromkeys(map(self.words.phrase, bests))
        is_highest = first.validation.mean >= max(value.validation.mean for value in alive)
        yield self.text(
            f"brief.{'best' if is_highest else 'best_kept'}",
            value=self.words.joined(list(named)),
            accuracy=self.words.percent(first.validation.mean),
        )

    def _final(self) -> Iterator[str]:
        """What the final model reaches, and whether something that was measured is better."""
        words, study = self.words, self.study
        if study.plan.unchosen:
            yield self.text("brief.final_unchosen", count=len(study.values))
        if not (study.final and study.final.n):
            return
        accuracy = words.percent(study.final.validation.mean) + words.lost(study.final)
        epochs = words.counted("epochs", study.final.epochs)
        told = [self.text("brief.final", accuracy=accuracy, epochs=epochs)]
        ahead = findings.ahead_of_final(study.final, study.experiments)
        if ahead:
            told.append(
                self.text(
                    "brief.final_behind",
                    value=words.phrase(ahead.experiment.best),
                    difference=words.points(-ahead.ahead),
                )
            )
        yield " ".join(told)

    def purpose(self) -> Iterator[str]:
        """What the study asks, and where it comes from."""
        study, words = self.study, self.words
        yield self.text(
            f"introduction.{'purpose' if len(study.experiments) > 1 else 'purpose_one'}",
            dataset=self.dataset,
            experiments=len(study.experiments),
            values=words.counted("values", len(study.values)),
            seeds=self.n_seeds,
        )
        if study.has_published:
            source = published.load()
            yield self.text("introduction.published", title=source.title, course=source.course)
        yield self.text("introduction.computed")

    def mosaic(self) -> str:
        """The figure with some images of each class."""
        alternative = self.text(
            "introduction.mosaic_alt",
            count=len(self.classes),
            dataset=self.dataset,
            classes=self.words.joined(self.classes),
        )
        return self.figure("mosaic", alternative)

    def method(self) -> Iterator[str]:
        """How the numbers were made, a paragraph for each aspect."""
        study, words = self.study, self.words
        n_train, height, width = study.shapes["train"]
        yield self._data(height, width)
        yield self._validation(n_train)
        yield self.text("method.network", inputs=height * width, outputs=len(self.classes))
        yield self.text("method.pixels", half=words.number(0.5, 1))
        baseline = settings.complete(study.plan.baseline)
        listed = words.settings(baseline, self.worth_naming(baseline))
        yield self.text("method.baseline", settings=listed)
        yield self.text("method.seeds", seeds=self.n_seeds)
        yield self.text("method.runs", **self._work())
        seen = words.number(min(n_train, SEEN_IMAGES))
        one_image = words.one_image(study.validation_images)
        yield self.text("method.accuracies", seen=seen, one_image=one_image)
        counts = study.class_counts["validation"]
        yield self.text(
            f"method.{'even' if counts.is_even else 'most_frequent'}",
            count=len(counts.counts),
            **self.most_frequent("validation"),
        )
        if study.n_seeds == 1:
            yield self.text("method.one_seed")
        else:
            yield self.text("method.intervals", freedom=study.n_seeds - 1)
            yield from self._tests()
        if study.comparisons:
            yield self.text("method.prediction")

    def _tests(self) -> Iterator[str]:
        """What makes a difference clear, and why that test."""
        n, words = self.study.n_seeds, self.words
        yield self.text("method.tests", level=words.level())
        yield self.text("method.differences", power=words.language.percent(significance.POWER, 0))
        divisions = math.comb(2 * n, n)
        family = max(experiment.family for experiment in self.study.experiments)
        corrected = min(1, 2 / divisions * family)
        if corrected >= findings.LEVEL:
            # As many as show two digits other than 0.
            digits = max(4, 1 - math.floor(math.log10(2 / divisions)))
            yield self.text(
                "method.no_permutations",
                divisions=words.number(divisions),
                least=words.number(2 / divisions, digits),
                family=words.number(family),
                corrected=words.number(corrected, 2),
            )
        yield self.text("method.correlated", seeds=self.n_seeds)
        if any(
            are_paired(one, other)
            for experiment in self.study.experiments
            for one, other in itertools.pairwise(experiment.values)
        ):
            yield self.text("method.paired", seeds=self.n_seeds)

    def _validation(self, n_train: int) -> str:
        held_out = {}
        validation = self.study.plan.validation
        if validation != "test":
            held_out = {
                "size": self.words.number(validation["size"]),
                "seed": validation["seed"],
                "train": self.words.number(n_train),
                "learned": self.words.number(n_train - validation["size"]),
            }
        place = f"method.validation.{self._validated_from}.paragraph"
        return self.text(place, **held_out)

    def _data(self, height: int, width: int) -> str:
        counts = {
            part: self.words.counted("images", shape[0])
            for part, shape in self.study.shapes.items()
        }
        about = [
            self.text(
                "method.data",
                dataset=self.dataset,
                height=height,
                width=width,
                count=len(self.classes),
                classes=self.words.joined(self.classes),
                **counts,
            )
        ]
        for name in ("source", "licence"):
            told = getattr(self.study.data.dataset, name)
            if told:
                about.append(self.text(f"method.{name}", **{name: markdown.escaped(told)}))
        for part, counts in self.study.class_counts.items():
            if counts.missing and not (part == "validation" and self._validated_from == "test"):
                missing = self.words.joined([self.classes[place] for place in counts.missing])
                about.append(self.text(f"method.without.{part}", classes=missing))
        return " ".join(about)

    def _work(self) -> dict[str, str]:
        """What the study takes, beside what training every value on its own would take."""
        study, number, counted = self.study, self.words.number, self.words.counted
        values = [value for _, value in study.values] + [study.final] * bool(study.final)
        epochs = sum(value.epochs for value in values)
        run_epochs = sum(run.epochs for run in study.plan.runs)
        return {
            "trainings": counted("trainings", len(values)),
            "epochs": counted("epochs", epochs),
            "runs": counted("appendix.runs", len(study.plan.runs)),
            "run_epochs": counted("epochs", run_epochs),
            "share": self.words.language.percent(run_epochs / epochs, 0),
            "total": number(run_epochs * study.n_seeds),
            "naive": number(epochs * study.n_seeds),
            "seeds": self.n_seeds,
        }


class Hyperparameters(Part):
    """What the settings are that the study varies, or sets away from their neutral defaults."""

    def varied(self) -> list[str]:
        """The settings that any experiment varies, in the order in which experiments do."""
        return list(dict.fromkeys(key for each in self.study.experiments for key in each.keys))

    def explained(self, key: str) -> Iterator[str]:
        """What a setting is, an image for it, and why it matters."""
        for part in ("what", "intuition", "why"):
            yield f"**{self.text(f'hyperparameters.{part}')}** {self._about(key, part)}"

    def _about(self, key: str, part: str) -> str:
        return self.words.language.text(f"settings.{key}.{part}")

    def _tried(self, key: str) -> list[Any]:
        tried = [value.varied[key] for _, value in self.study.values if key in value.varied]
        return list({settings.text(value): value for value in tried}.values())

    def tried(self, key: str) -> str:
        """The values of a setting that any experiment tries."""
        names = [self.words.value_name(key, value) for value in self._tried(key)]
        return self.text("hyperparameters.tried", values=self.words.listed(names))

    def described(self, key: str) -> list[str]:
        """The values tried that the catalogue describes."""
        known = self.words.language.entry(f"settings.{key}").get("values", {})
        tried = [known[text] for text in map(settings.text, self._tried(key)) if text in known]
        return [f"**{value['name']}.** {value['what'].strip()}" for value in tried]

    def others(self) -> Iterator[str]:
        """What is never varied but set away from its default, and what it is."""
        study = self.study
        starts = [settings.complete(study.plan.baseline)]
        starts += [experiment.settings for experiment in study.experiments]
        starts += [settings.complete(study.final.varied)] if study.final else []
        for key in settings.names():
            values = [
                start[key]
                for start in starts
                if settings.is_used(key, start["optimizer"]) and start[key] != settings.default(key)
            ]
            if values and key not in self.varied():
                names = dict.fromkeys(self.words.value_name(key, value) for value in values)
                title = self.words.setting_title(key)
                yield f"**{title}: {'; '.join(names)}.** {self._about(key, 'what')}"


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
        return markdown.table(self.headings("part", "version"), rows, "ll")

    def _shares(self, values: Counter[str]) -> list[str]:
        if len(values) == 1:
            return list(values)
        return [
            self.text("appendix.part", value=value, runs=self.words.counted("appendix.runs", n))
            for value, n in values.most_common()
        ]

    def seeds(self) -> str:
        """The seeds, ranges of them shortened."""
        seeds = sentences.seeds_in_words(self.study.plan.seeds, self.words)
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
        return markdown.table(headings, rows, "lrrr")

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
            final = settings.complete(self.study.final.varied)
            places.append((self.text("final.title"), final))
        found = []
        for place, chosen in places:
            keys = [
                key
                for key in settings.USED_BY
                if not settings.is_used(key, chosen["optimizer"])
                and chosen[key] != settings.default(key)
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
