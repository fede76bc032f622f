"""Holding validation images out of the training images."""

import torch
from torch import Tensor

from study.learning.streams import stream


def hold_out(labels: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """The images to train on and the `size` held out, as ascending indices into `labels` (n,).

    Drawn at random, stratified: each class gives its share of `size`, give or take one image.
    """
    order = torch.randperm(len(labels), generator=stream(seed, "validation", 0))
    classes = torch.nn.functional.one_hot(labels[order])
    # How far through its class each image comes, in random order: the middle of its place in it.
    place = (classes * classes.cumsum(0)).sum(1) - 0.5
    through = place.double() / classes.sum(0)[labels[order]]
    chosen = order[through.argsort(stable=True)]
    return chosen[size:].sort().values, chosen[:size].sort().values
