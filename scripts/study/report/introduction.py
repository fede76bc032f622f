"""The report's first parts: what came out in brief, what the study asks, and how it was done."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property

from study.data.pictures import COLOURS
from study.data.scaling import PIXELS, of_inputs
from study.report.part import MOST_ROWS, Part
from study.report.recommendations import beyond, recommendation
from study.report.searches import Searches
from study.results import findings, published
from study.results.experiments import ExperimentResult, ValueResult, are_paired, rank
from study.spec.predicates import Verdict
from study.statistics import significance
from study.support import markdown
from study.support.durations import duration

# The training images that are classified again, without dropout, after every epoch.
SEEN_IMAGES = 10_000

# Of best values at the edge of those tried, so many are named in brief.
MOST_NEXT = 5


class Introduction(Part):
    """What came out in brief, what the study asks, and how it was done."""

    def missing(self) -> list[str]:
        """The values that a partial report lacks; of very many the first."""
        adding = {each.name for each in self.study.plan.experiments}
        missing = [
            self.text("partial.further_seeds", experiment=name) if name in adding else name
            for name in self.study.plan.missing
        ]
        if len(missing) <= MOST_ROWS:
            return missing
        return [*missing[:MOST_ROWS], self.words.counted("further", len(missing) - MOST_ROWS)]

    def glance(self) -> str:
        """The figure with all experiments; where there are none, that of each search."""
        if not self.study.experiments:
            searches = Searches(self.study, self.words, self.figures)
            return "\n\n".join(searches.drawn(each) for each in self.study.plan.searches)
        words = self.words
        named = [
            self.text("conclusions.effect", experiment=words.label(each), size=words.points(size))
            for each, size in self.spreads()
        ]
        return self.figure("glance", self.text("brief.glance_alt", effects="; ".join(named)))

    def brief(self) -> Iterator[str]:
        """The main results, a paragraph each: what is best, how sure, its cost, what is next."""
        words, study = self.words, self.study
        yield from self._best()
        yield from Searches(study, words, self.figures).briefly()
        yield from self._final()
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
        yield from self._cost()
        yield from self._next()
        yield from self._claims()
        if self.is_unbalanced("validation"):
            yield self.text("brief.unbalanced", **self.most_frequent("validation"))
        compared = [each for each in study.comparisons if each.measure == "validation_accuracy"]
        if compared:
            yield self.text(
                "brief.published",
                inside=sum(each.inside for each in study.comparisons),
                count=len(study.comparisons),
                distance=words.points(findings.mean_distance(compared)),
            )

    def _effects(self, spreads: Sequence[tuple[ExperimentResult, float]]) -> str:
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
            yield self.text("brief.untested", seeds=self.seeds_of_values)
        elif not clear:
            yield self.text("brief.unclear", seeds=self.seeds_of_values)
        elif len(found) > 1:
            experiments = self.words.part("experiments", clear, len(found))
            yield self.text("brief.clear", experiments=experiments)

    @cached_property
    def _alive(self) -> list[ValueResult]:
        """The values of which not every seed diverged."""
        return [value for _, value in self.study.values if value.n]

    @cached_property
    def _first(self) -> ValueResult | None:
        """The best of them."""
        return min(self._alive, key=rank, default=None)

    def _best(self) -> Iterator[str]:
        """The best value of all, or several that are as good."""
        alive, first = self._alive, self._first
        if not first:
            return
        bests = [value for value in alive if rank(value) == rank(first)]
        named = dict.fromkeys(map(self.words.phrase, bests))
        is_highest = first.validation.mean >= max(value.validation.mean for value in alive)
        yield self.text(
            f"brief.{'best' if is_highest else 'best_kept'}",
            value=self.words.joined(list(named)),
            accuracy=self.words.score(first.validation.mean),
        )
        experiment = next(each for each, value in self.study.values if value is first)
        yield recommendation(experiment, self.words)

    def _cost(self) -> Iterator[str]:
        """How long a seed of the best value takes, and the whole study."""
        value = self._first
        if not value:
            return
        rows = findings.replicates(value, self.study.metrics)
        yield self.text(
            "brief.cost",
            value=self.words.phrase_alone(value),
            seconds=self.words.number(rows.groupby("seed")["seconds"].sum().mean(), 1),
            epochs=self.words.counted("epochs", value.epochs),
            total=duration(self.study.metrics["seconds"].sum()),
        )

    def _next(self) -> Iterator[str]:
        """Values to try beyond those tried, those of the largest effects first."""
        others = (each for each in self.study.experiments if findings.spread(each) is None)
        ordered = [*(experiment for experiment, _ in self.spreads()), *others]
        found = [edge for experiment in ordered for edge in beyond(experiment, self.words)]
        if found:
            yield self.text("brief.next", values="; ".join(found[:MOST_NEXT]))

    def _claims(self) -> Iterator[str]:
        """How many claims hold, with the place where they are told one by one."""
        if not self.study.claims:
            return
        counts = Counter(claim["verdict"] for claim in self.study.claims)
        yield self.text(
            "brief.claims",
            count=len(self.study.claims),
            claims=f"#{markdown.anchor_of(self.text('claims.title'))}",
            **{verdict.value: counts[verdict] for verdict in Verdict},
        )

    def _final(self) -> Iterator[str]:
        """What the final model reaches, and whether something that was measured is better."""
        words, study = self.words, self.study
        if study.plan.unchosen:
            yield self.text("brief.final_unchosen", count=len(study.values))
        if not (study.final and study.final.n):
            return
        accuracy = words.score(study.final.validation.mean) + words.lost(study.final)
        epochs = words.counted("epochs", study.final.epochs)
        told = [self.text("brief.final", accuracy=accuracy, epochs=epochs)]
        baseline, chosen = study.plan.baseline, study.final.varied
        other = [key for key in chosen if key != "epochs" and chosen[key] != baseline[key]]
        if other:
            told.append(self.text("brief.final_settings", settings=words.settings(chosen, other)))
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
        form = {0: "purpose_searched", 1: "purpose_one"}.get(len(study.experiments), "purpose")
        yield self.text(
            f"introduction.{form}",
            dataset=self.dataset,
            network=self._network_in_short(),
            experiments=len(study.experiments),
            values=words.counted("values", len(study.values)),
            seeds=self.seeds_of_values,
        )
        if study.has_published:
            source = published.load()
            yield self.text("introduction.published", title=source.title, course=source.course)
        yield self.text("introduction.computed")

    def _network_in_short(self) -> str:
        model = self.study.plan.model
        if model.name in ("mlp", "cnn"):
            return self.text(f"networks.{model.name}")
        return self.text("networks.own", name=markdown.escaped(model.name))

    def _network(self, inputs: int) -> str:
        model = self.study.plan.model
        about = {
            "inputs": self.words.number(inputs),
            "loss": self.text(f"method.losses.{'own' if model.has_loss else 'task'}"),
        }
        if model.is_perceptron:
            outputs = self.words.counted("method.outputs", len(self.outputs))
            return self.text("method.network", outputs=outputs, **about)
        name, summary = map(markdown.escaped, (model.name, model.summary))
        about |= {"name": name, "summary": summary, "outputs": str(len(self.outputs))}
        return self.text("method.module", **about)

    def mosaic(self) -> str:
        """The figure with some images of each class; nothing without images or classes."""
        if not self.study.data.dataset.shows_classes:
            return ""
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
        n_train, *shape = study.shapes["train"]
        yield self._data(shape)
        yield self._validation(n_train)
        yield self._network(math.prod(shape))
        yield self._inputs()
        baseline = study.plan.baseline
        listed = words.settings(baseline, self.worth_naming(baseline))
        yield self.text("method.baseline", settings=listed)
        if self.adds_seeds:
            yield self.text("method.seeds_by_need", seeds=self.n_seeds)
        elif study.plan.searches:
            yield self.text("method.seeds_searched", seeds=self.n_seeds)
        else:
            yield self.text("method.seeds", seeds=self.n_seeds)
            yield self.text("method.runs", **self._work())
        yield from self._scores(n_train)
        if study.is_of_one_seed:
            yield self.text("method.one_seed")
        else:
            # Of n seeds, where values have more or fewer.
            freedom = "n − 1" if self.adds_seeds else study.n_seeds - 1
            yield self.text("method.intervals", freedom=freedom)
            if self.study.experiments:
                yield from self._tests()
        if study.comparisons:
            yield self.text("method.prediction")

    def _scores(self, n_train: int) -> Iterator[str]:
        """What values are compared by."""
        seen = self.words.number(min(n_train, SEEN_IMAGES))
        one_image = self.words.one_image(self.study.validation_images)
        yield self.text("method.accuracies", seen=seen, one_image=one_image)
        if self.is_of_classes:
            counts = self.study.class_counts["validation"]
            yield self.text(
                f"method.{'even' if counts.is_even else 'most_frequent'}",
                count=len(counts.counts),
                **self.most_frequent("validation"),
            )
        elif len(self.outputs) > 1:
            yield self.text("method.several")

    def _tests(self) -> Iterator[str]:
        """What makes a difference clear, and why that test."""
        words = self.words
        testable = [len(value.seeds) for _, value in self.study.values if len(value.seeds) > 1]
        n = min(testable, default=1)
        yield self.text("method.tests", level=words.level())
        yield self.text("method.differences", power=words.language.percent(significance.POWER, 0))
        divisions = math.comb(2 * n, n)
        family = max((experiment.family for experiment in self.study.experiments), default=1)
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
        yield self.text("method.correlated", seeds=self.seeds_of_values)
        if any(
            are_paired(one, other)
            for experiment in self.study.experiments
            for one, other in itertools.pairwise(experiment.values)
        ):
            yield self.text("method.paired", seeds=self.seeds_of_values)

    def _validation(self, n_train: int) -> str:
        about = {"test_part": self.test_part}
        validation = self.study.plan.validation
        if validation != "test":
            about |= {
                "size": self.words.number(validation["size"]),
                "seed": validation["seed"],
                "train": self.words.number(n_train),
                "learned": self.words.number(n_train - validation["size"]),
            }
        place = f"method.validation.{self._validated_from}.paragraph"
        return self.text(place, **about)

    def _inputs(self) -> str:
        """How examples become the networks' inputs."""
        data, words = self.study.data, self.words
        if of_inputs(data.train.x) == PIXELS:
            return self.text("method.pixels", half=words.number(0.5, 1))
        columns = data.fitted.get("columns")
        if not columns:
            return self.text("method.as_they_are")
        return self.text(
            "method.columns", columns=len(columns), inputs=words.number(math.prod(data.inputs))
        )

    def _data(self, shape: Sequence[int]) -> str:
        counts = {
            part: self.words.counted("images", shape[0])
            for part, shape in self.study.shapes.items()
        }
        about = [
            self.text(
                "method.data",
                dataset=self.dataset,
                of=self._of(shape),
                count=len(self.outputs),
                outputs=self.words.joined(self.outputs),
                **counts,
            )
        ]
        if drawn := self.study.data.fitted.get("test"):
            about.append(self.text("method.drawn", seed=drawn["seed"]))
        for name in ("source", "licence"):
            told = getattr(self.study.data.dataset, name)
            if told:
                about.append(self.text(f"method.{name}", **{name: markdown.escaped(told)}))
        for part, counts in self.study.class_counts.items():
            if counts.missing and not (part == "validation" and self._validated_from == "test"):
                missing = self.words.joined([self.classes[place] for place in counts.missing])
                about.append(self.text(f"method.without.{part}", classes=missing))
        return " ".join(about)

    def _of(self, shape: Sequence[int]) -> str:
        """What an example of this shape is: so many pixels, or so many numbers."""
        if not self.study.data.dataset.is_images:
            return self.text("method.of.numbers", count=self.words.number(math.prod(shape)))
        channels, height, width = shape
        kind = {1: "grey", COLOURS: "colour"}.get(channels, "channels")
        return self.text(f"method.of.{kind}", height=height, width=width, channels=channels)

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
