"""What parts of the report share that have tables of accuracies."""

import math
from collections.abc import Sequence

from study.report.part import Part
from study.statistics.estimates import Estimate


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
