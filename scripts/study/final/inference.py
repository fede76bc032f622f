"""What trained networks make of examples, in NumPy: no torch is needed to use them.

Networks are multilayer perceptrons as study/learning/stacked_mlp.py trains them, with dropout off.
In float32 the sums of NumPy's products may differ from torch's in the last bit.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import erf, expit, softmax

from study.data.scaling import Scaling, Spread

# Weights (outputs, inputs) and biases (outputs,), float32, of each layer, as torch.nn.Linear
# holds them.
Layers = Sequence[tuple[np.ndarray, np.ndarray]]

# The constants are torch's defaults.
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, np.float32(0.01) * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "gelu": lambda z: z * (0.5 * (1 + erf(z / np.sqrt(np.float32(2))))),
    "silu": lambda z: z * expit(z),
    "tanh": np.tanh,
    "sigmoid": expit,
}


def answers(
    inputs: np.ndarray,
    layers: Layers,
    activation: str,
    scaling: Scaling,
    spread: Spread | None = None,
) -> np.ndarray:
    """The probability of each class for each example, float32 (examples, classes).

    Where targets of this `spread` were learned, the prediction of each, in its unit, float32
    (examples, targets). `inputs` is (examples, features), as stored, which `scaling` makes a
    network's; `activation` names what follows each hidden layer.
    """
    scale, offset = map(np.float32, scaling)
    values = inputs.astype(np.float32) * scale - offset
    *hidden, (weight, bias) = layers
    for hidden_weight, hidden_bias in hidden:
        values = ACTIVATIONS[activation](values @ hidden_weight.T + hidden_bias)
    outputs = values @ weight.T + bias
    if spread is None:
        return softmax(outputs, axis=1)
    means, deviations = (np.array(each, np.float32) for each in spread)
    return outputs * deviations + means
