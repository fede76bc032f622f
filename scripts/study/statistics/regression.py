"""R² and the root mean squared error of predictions, and how sure they are over the examples."""

import numpy as np

from study.statistics.uncertainty import BATCH, BOOTSTRAP_SEED, RESAMPLES, Interval


def r2(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """R² of predictions (..., n, targets) of `true` (n, targets): (..., targets).

    Against the mean of `true`; 0 of a target of which all are equal.
    """
    true = true.astype(np.float64)
    return _explained(_squares(predicted, true).mean(axis=-2), true.var(axis=0))


def rmse(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    """The root mean squared error, in the targets' units; shapes are those of `r2`."""
    return np.sqrt(_squares(predicted, true.astype(np.float64)).mean(axis=-2))


def resampled(predicted: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R² and RMSE of bootstrap samples of the examples, each (resamples, seeds, targets).

    `predicted` is (seeds, n, targets). The same resamples every time, whatever is predicted: those
    of two models are pairs.
    """
    seeds, n, targets = predicted.shape
    true = true.astype(np.float64)
    squares = _squares(predicted, true).transpose(1, 0, 2).reshape(n, -1)
    # From the mean, so that squares do not cancel.
    centred = true - true.mean(axis=0)
    random = np.random.default_rng(BOOTSTRAP_SEED)
    errors, spreads = [], []
    for start in range(0, RESAMPLES, BATCH):
        drawn = [
            np.bincount(random.integers(n, size=n), minlength=n)
            for _ in range(start, min(start + BATCH, RESAMPLES))
        ]
        weights = np.array(drawn) / n
        errors.append((weights @ squares).reshape(-1, seeds, targets))
        spreads.append(weights @ centred**2 - (weights @ centred) ** 2)
    error, spread = np.concatenate(errors), np.concatenate(spreads)
    return _explained(error, spread[:, None]), np.sqrt(error)


def interval(found: np.ndarray) -> Interval:
    """The percentile interval, at 95 %, of what resamples (resamples,) gave."""
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(float(low), float(high))


def _squares(predicted: np.ndarray, true: np.ndarray) -> np.ndarray:
    return (predicted.astype(np.float64) - true) ** 2


def _explained(error: np.ndarray, spread: np.ndarray) -> np.ndarray:
    # What rounding leaves of the spread of equal numbers is none.
    known = spread > 1e-12 * np.maximum(error, 1e-300)
    return np.where(known, 1 - error / np.where(known, spread, 1), 0.0)
