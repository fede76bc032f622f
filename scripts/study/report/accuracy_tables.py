"""What parts of the report share that have tables of scores: accuracies, or R² and RMSE."""

import math
from collections.abc import Sequence
from functools import cached_property

from study.data.scaling import of_targets
from study.report.part import Part
from study.statistics.estimates import Estimate
from study.support import markdown


class Results(Part):
    """What parts with tables of scores share."""

    def accuracies_note(self, seeds: Sequence[int] = ()) -> str:
        """What the numbers of tables of scores are; `seeds` are how many each value has."""
        counts = seeds or [self.study.n_seeds]
        key = "note_one_seed" if max(counts) == 1 else "note"
        counted = self.words.seeds(min(counts), max(counts))
        note = self.text(f"experiments.{key}", seeds=counted, validation=self.validation_note)
        return self.with_frequency(note)

    def with_frequency(self, told: str) -> str:
        """What is told of validation accuracy; beside it, what naming one class is right for.

        Only where classes are unbalanced.
        """
        if not self.is_unbalanced("validation"):
            return told
        return f"{told} {self.text('experiments.unbalanced', **self.most_frequent('validation'))}"

    def measured(self, pairs: Sequence[tuple[Estimate, Estimate]]) -> dict[str, list[str]]:
        """The columns of training and validation scores."""
        return {
            self.text(f"columns.{part}"): [self.accuracy(pair[place]) for pair in pairs]
            for place, part in enumerate(("train", "validation"))
        }

    def errors(self, estimates: Sequence[Estimate | None]) -> dict[str, list[str]]:
        """The column of validation RMSE, where one quantity is predicted.

        Of several, which may differ in unit, the record has only the mean.
        """
        if self.is_of_classes or len(self.quantities) > 1:
            return {}
        unit = self.study.data.targets.units[0]
        title = self.text("columns.rmse", unit=f" ({markdown.escaped(unit)})" if unit else "")
        return {title: [self.error(estimate) for estimate in estimates]}

    def error(self, estimate: Estimate, target: int = 0) -> str:
        """An RMSE of a target in a cell, with its interval."""
        if not estimate.n:
            return self.cell("diverged")
        ends = estimate.mean, estimate.low, estimate.high
        return self.words.with_interval(*ends, lambda error: self.quantity(error, target))

    def quantity(self, quantity: float, target: int = 0) -> str:
        """A number in a target's unit: with decimals to a hundredth of its spread in training."""
        digits = 2 - math.floor(math.log10(self._spreads[target]))
        return self.words.number(quantity, max(0, digits))

    @cached_property
    def _spreads(self) -> tuple[float, ...]:
        """The deviation of each target in the training part."""
        _, deviations = of_targets(self.study.data.train.y)
        return deviations

    def accuracy(self, estimate: Estimate) -> str:
        """A score in a cell, with its interval."""
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
