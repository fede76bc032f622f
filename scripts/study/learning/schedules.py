"""How the learning rate goes over the steps of a training.

A schedule that ends somewhere depends on how many epochs there are to be: with it they are part of
what a run is (spec/settings.py).
"""

import math
from collections.abc import Mapping
from typing import Any

# Of one_cycle: the share of steps in which the rate rises, by what factor the first rate is below
# the highest, and the last below the first; torch.optim.lr_scheduler.OneCycleLR's defaults.
RISING, FIRST, LAST = 0.3, 25.0, 1e4


def learning_rate(settings: Mapping[str, Any], epoch: int, step: int, steps: int) -> float:
    """That of a step, the `step`-th from 0 of an epoch, counted from 1, of so many `steps`.

    After each epoch it decays; in the first `warmup_epochs` it rises in even steps, and over all
    others it follows the schedule: the cosine of Loshchilov and Hutter, SGDR (ICLR 2017), without
    restarts, or Smith's one cycle (arXiv 1708.07120) as torch has it.
    """
    decayed: float = settings["learning_rate"] * settings["learning_rate_decay"] ** (epoch - 1)
    return decayed * _factor(settings, epoch, step, steps)


def _factor(settings: Mapping[str, Any], epoch: int, step: int, steps: int) -> float:
    done = (epoch - 1) * steps + step
    warm: int = settings["warmup_epochs"] * steps
    if done < warm:
        return (done + 1) / warm
    if settings["schedule"] == "constant":
        return 1.0
    whole = settings["epochs"] * steps
    if settings["schedule"] == "cosine":
        return _between(1.0, 0.0, (done - warm) / max(1, whole - warm))
    top = RISING * whole - 1
    if done <= top:
        return _between(1 / FIRST, 1.0, done / top)
    return _between(1.0, 1 / (FIRST * LAST), (done - top) / max(1, whole - 1 - top))


def _between(first: float, last: float, share: float) -> float:
    """Half a cosine from `first` to `last`."""
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))
