"""Early stopping, read off the record of training that did not stop: what it would have done.

Nothing in a run depends on its length, so that its first epochs are those of a run that stops.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# Whether less is better.
METRICS = {
    "validation_loss": True,
    "validation_accuracy": False,
    "validation_r2": False,
    "validation_rmse": True,
}


def stop(values: Sequence[float], patience: int, lower_is_better: bool) -> tuple[int, int]:
    """The epoch after which training stops, and the epoch whose weights are taken, from 1 on.

    `values` are a metric's by epoch. Training stops once `patience` epochs in a row bring no value
    better than the best before them, and takes the first epoch that has the best value. A value
    that is not a number is no better.
    """
    best, taken = np.inf, 1
    for epoch, value in enumerate(values, 1):
        value = value if lower_is_better else -value
        if value < best:
            best, taken = value, epoch
        elif epoch - taken >= patience:
            return epoch, taken
    return len(values), taken


def read_off(
    rows: pd.DataFrame, metric: str, patience: int, score: str = "validation_accuracy"
) -> pd.DataFrame:
    """What early stopping would have made of each replicate in `rows`, of a run's metrics.

    By seed: the epoch after which it is `stopped`, the one that is `taken`, `saved`, the epochs
    not trained, and `gained`, the `score` of the epoch taken minus that of the last.
    """
    found = {}
    for seed, replicate in rows.sort_values("epoch").groupby("seed"):
        scores = replicate[score].to_numpy()
        stopped, taken = stop(replicate[metric].to_numpy(), patience, METRICS[metric])
        found[seed] = {
            "stopped": stopped,
            "taken": taken,
            "saved": len(replicate) - stopped,
            "gained": scores[taken - 1] - scores[-1],
        }
    return pd.DataFrame.from_dict(found, orient="index")
