"""The report's part that sets our numbers beside the published ones."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property

from study.report.accuracy_tables import Results
from study.results import fidelity, findings, published
from study.results.experiments import ExperimentResult, ValueResult
from study.results.fidelity import PUBLISHED_MEASURES, Comparison
from study.spec.models import MLP


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
        for measure in PUBLISHED_MEASURES:
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

    def _baseline(self) -> ValueResult | None:
        """Our value with the settings whose training the published study repeated."""
        wanted = MLP.hyperparameters.complete(published.load().baseline)
        for experiment, value in self.study.values:
            is_printed = not math.isnan(value.validation.published)
            if is_printed and experiment.settings_of(value) == wanted:
                return value
        return None

    def _lines(
        self, measures: Sequence[str] = PUBLISHED_MEASURES
    ) -> list[tuple[str, str, str, ValueResult]]:
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
        return self.rows(self.headings(*keys), rows, "llrrrrl")

    @cached_property
    def _orders(self) -> list[tuple[ExperimentResult, findings.PublishedOrder]]:
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
        return self.rows(headings, rows, "llllrr")

    def about_orders(self) -> str:
        """In how many experiments the best values agree."""
        orders = [order for _, order in self._orders]
        same = sum(order.claimed is order.best for order in orders)
        return self.text(
            "published.orders_one_seed" if self.study.is_of_one_seed else "published.orders",
            same=self.words.part("experiments", same, len(orders)),
            contradicted=sum(findings.is_clear(order.p) for order in orders),
        )
