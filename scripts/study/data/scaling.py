"""How stored inputs become a network's: `x * scale - offset`, in float32.

Written once: training, the final model's inference and its ONNX graph all take it from here.
"""

import numpy as np

# Scale and offset.
Scaling = tuple[float, float]

# Bytes from 0 to 255 become -1 to 1, as the reference study's (x / 255 - 0.5) / 0.5 does.
PIXELS: Scaling = (1 / 127.5, 1.0)

# Numbers that are stored as a network takes them.
AS_STORED: Scaling = (1.0, 0.0)


# The mean and the deviation of each target, in its unit.
Spread = tuple[tuple[float, ...], tuple[float, ...]]


def of_targets(y: np.ndarray) -> Spread:
    """That of quantities (n, targets), by which a network learns them: of the training part."""
    exact = y.astype(np.float64)
    deviations = exact.std(axis=0)
    # What never changes is not scaled.
    return tuple(exact.mean(axis=0)), tuple(np.where(deviations > 0, deviations, 1.0))


def of_inputs(x: np.ndarray) -> Scaling:
    """That of inputs as they are stored: bytes are pixels, other numbers are used as they are."""
    return PIXELS if x.dtype == np.uint8 else AS_STORED
