"""How the examples of a data set are divided among its classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# A data set is called unbalanced where a class has so many times its even share, or more.
UNBALANCED = 1.25


@dataclass(frozen=True)
class ClassCounts:
    """How many examples each class has, `counts` (classes,)."""

    counts: np.ndarray

    @property
    def missing(self) -> list[int]:
        """The classes without any example."""
        return np.flatnonzero(self.counts == 0).tolist()

    @property
    def most_frequent(self) -> list[int]:
        """The class with the most examples, or several that have as many."""
        return np.flatnonzero(self.counts == self.counts.max()).tolist()

    @property
    def share(self) -> float:
        """The share of the most frequent class, which always naming it has for its accuracy."""
        return float(self.counts.max() / self.counts.sum())

    @property
    def is_even(self) -> bool:
        """Whether all classes have the same number."""
        return bool((self.counts == self.counts[0]).all())

    @property
    def is_unbalanced(self) -> bool:
        """Whether accuracy is easily had by naming the most frequent class."""
        return self.share >= UNBALANCED / len(self.counts)

    def held_out(self, size: int) -> "ClassCounts":
        """The counts of `size` examples that learning.split.hold_out would take of these.

        They follow from how far through its class each example comes, and not from the drawing but
        for ties, which may make a class differ by one.
        """
        places = [(np.arange(count) + 0.5) / count for count in self.counts if count]
        owners = np.repeat(np.flatnonzero(self.counts), self.counts[self.counts > 0])
        taken = owners[np.argsort(np.concatenate(places), kind="stable")[:size]]
        return ClassCounts(np.bincount(taken, minlength=len(self.counts)))

    def without(self, other: "ClassCounts") -> "ClassCounts":
        """What is left without these."""
        return ClassCounts(self.counts - other.counts)


def count(labels: np.ndarray, n_classes: int) -> ClassCounts:
    """How many of `labels` (n,) each of the classes has."""
    return ClassCounts(np.bincount(np.asarray(labels), minlength=n_classes))


def by_part(
    train: np.ndarray, test: np.ndarray, n_classes: int, validation: str | Mapping[str, Any]
) -> dict[str, ClassCounts]:
    """The counts of the images learnt from, of the validation and of the test images.

    `train` and `test` (n,) are the labels of the data set's parts, `validation` is as in plan.json.
    """
    learned, tested = count(train, n_classes), count(test, n_classes)
    if validation == "test":
        return {"train": learned, "validation": tested, "test": tested}
    held_out = learned.held_out(validation["size"])
    return {"train": learned.without(held_out), "validation": held_out, "test": tested}
