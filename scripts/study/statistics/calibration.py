"""Whether probabilities mean what they say: of predictions made with 80 %, 80 % should be right."""

import numpy as np
import pandas as pd

# Of equal width, as many as in Guo et al.: On Calibration of Modern Neural Networks, ICML 2017.
BINS = 15


def reliability(confidence: np.ndarray, correct: np.ndarray) -> pd.DataFrame:
    """What became of the predictions made with about the same probability.

    `confidence` (images,) is the probability of each predicted class, `correct` (images,) whether
    it is the right one. A row for each of `BINS` bins of equal width, of which bin b holds the
    probabilities above b / BINS up to (b + 1) / BINS: `share` of all images, and their mean
    `confidence` and `accuracy`, NaN in an empty bin.
    """
    bins = np.clip(np.ceil(BINS * confidence.astype(float)).astype(int) - 1, 0, BINS - 1)
    images = pd.DataFrame({"bin": bins, "confidence": confidence, "accuracy": correct}, dtype=float)
    table = images.groupby("bin").mean().reindex(range(BINS))
    table.insert(0, "share", np.bincount(bins, minlength=BINS) / len(bins))
    return table


def expected_error(table: pd.DataFrame) -> float:
    """The expected calibration error: the mean distance of accuracy from confidence over images.

    `table` is that of `reliability`. Naeini, Cooper and Hauskrecht: Obtaining Well Calibrated
    Probabilities Using Bayesian Binning, AAAI 2015. With finitely many images it is above 0 for
    perfect probabilities too.
    """
    return float(weighted_gaps(table).sum())


def weighted_gaps(table: pd.DataFrame) -> pd.Series:
    """What each bin adds to the expected calibration error; 0 where it is empty."""
    return (table["share"] * (table["accuracy"] - table["confidence"]).abs()).fillna(0.0)
