"""Holding validation examples out of the training examples."""

import torch
from torch import Tensor

from study.learning.streams import stream


def hold_out(targets: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """The examples to train on and the `size` held out, as ascending indices into `targets`.

    Drawn at random. Labels (n,) int64 are stratified: each class gives its share of `size`, give
    or take one example. Numbers are not.
    """
    order = torch.randperm(len(targets), generator=stream(seed, "validation", 0))
    if targets.is_floating_point():
        chosen = order
    else:
        labels = targets[order]
        classes = torch.nn.functional.one_hot(labels)
        # How far through its class each comes, in random order: the middle of its place in it.
        place = (classes * classes.cumsum(0)).sum(1) - 0.5
        through = place.double() / classes.sum(0)[labels]
        chosen = order[through.argsort(stable=True)]
    return chosen[size:].sort().values, chosen[:size].sort().values
