"""What a few replicates say about the mean."""

import numpy as np
from scipy.special import stdtrit


def t_interval(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, standard deviation and half the width of the 95 % t interval, over the first axis.

    `samples` is (n, ...) with n >= 1, and each of the three is (...). The standard deviation
    divides by n - 1; it and the half width are NaN at n = 1.
    """
    samples = np.asarray(samples, float)
    n = len(samples)
    mean = samples.mean(axis=0)
    if n == 1:
        unknown = mean * np.nan
        return mean, unknown, unknown
    deviation = samples.std(axis=0, ddof=1)
    return mean, deviation, stdtrit(n - 1, 0.975) * deviation / np.sqrt(n)
