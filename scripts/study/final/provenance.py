"""Which networks an evaluation is of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """Which networks were evaluated, on which examples.

    `seeds` are those of `run` that did not diverge, `epoch` is the one that the weights are of;
    `dataset` is the data set's name and `digest` that of its files' checksums.
    """

    run: str
    epoch: int
    seeds: list[int]
    dataset: str
    digest: str
