"""Which network a run trains: the way from its settings to the model seam (learning/model.py)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from study.learning.layout import parameters_width, split_layers
from study.runs import model_loading
from study.runs.checkpoint import BUFFERS, PARAMETERS
from study.spec import models
from study.spec.models import Model as Definition
from study.spec.tasks import Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from study.learning.model import Model
    from study.learning.objective import Objective

    Loss = Callable[[Tensor, Tensor], Tensor]

# Perceptrons trained in one stack, and the parameters of all of them: more gain little, and take
# memory. A single one may have any number of parameters.
LARGEST_STACK = 10
STACK_PARAMETERS = 1_500_000


class Architecture(Protocol):
    """A network with its settings, before it has seeds. Imports torch only to build."""

    @property
    def largest_stack(self) -> int:
        """How many replicates are trained together."""

    def build(self, seeds: Sequence[int], device: str) -> "Model":
        """The untrained networks of `seeds`."""

    @property
    def parameters(self) -> int:
        """How many numbers training moves."""

    def layers(self, network: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The tensors of one replicate by their names, for weights.safetensors.

        `network` is what a saved state holds of it (checkpoint.Replicate.networks).
        """


@dataclass(frozen=True)
class Perceptron:
    """The hand-written stack of perceptrons, `sizes` units in each layer, input and output too."""

    sizes: tuple[int, ...]
    activation: str
    dropout: float
    precision: str
    scaling: tuple[float, float]

    @property
    def largest_stack(self) -> int:
        return max(1, min(LARGEST_STACK, STACK_PARAMETERS // parameters_width(self.sizes)))

    def build(self, seeds: Sequence[int], device: str) -> "Model":
        from study.learning.stacked_mlp import StackedMLP

        stack = StackedMLP(
            self.sizes,
            self.activation,
            self.dropout,
            len(seeds),
            device,
            self.precision,
            self.scaling,
        )
        stack.initialise(seeds)
        return stack

    @property
    def parameters(self) -> int:
        """How many weights and biases its layers have."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.sizes))

    def layers(self, network: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Weights (outputs, inputs) and biases as `torch.nn.Linear` layers hold them."""
        named = {}
        weights, biases = split_layers(network["parameters"][None], self.sizes)
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            named[f"layers.{index}.weight"] = weight[0].T
            named[f"layers.{index}.bias"] = bias[0, 0]
        return named


@dataclass(frozen=True)
class Module:
    """Any torch.nn.Module, by the function that makes one: `make(inputs, outputs, **settings)`.

    `loss` is that of the model's file, where it has one (learning/own_loss.py).
    """

    make: Callable[..., "nn.Module"]
    settings: Mapping[str, Any]
    inputs: tuple[int, ...]
    outputs: int
    scaling: tuple[float, float]
    loss: "Loss | None" = None

    @property
    def largest_stack(self) -> int:
        """One: modules are computed one by one, and a single one's tensors stay in the cache."""
        return 1

    def build(self, seeds: Sequence[int], device: str) -> "Model":
        from study.learning.modules import ModuleReplicates

        return ModuleReplicates(
            self._module, seeds, self.inputs, self.outputs, device, self.scaling
        )

    def layers(self, network: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Those of the module's state_dict, by their names there. Imports torch."""
        from study.learning import modules

        buffers = {
            name.removeprefix(BUFFERS): rows
            for name, rows in network.items()
            if name.startswith(BUFFERS)
        }
        return modules.named(self._module(), network[PARAMETERS], buffers)

    @property
    def parameters(self) -> int:
        """How many numbers training moves."""
        return sum(each.numel() for each in self._module().parameters() if each.requires_grad)

    def restored(self, tensors: Mapping[str, np.ndarray]) -> "nn.Module":
        """The module with the tensors that `layers` named, to be used and not trained."""
        import torch

        from study.learning import modules

        modules.settle()
        module = self._module()
        # Of tensors that are shared, one name has the numbers.
        module.load_state_dict(
            {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()},
            strict=False,
        )
        return module.eval()

    def _module(self) -> "nn.Module":
        return self.make(self.inputs, self.outputs, **self.settings)


def architecture(
    model: Definition,
    settings: Mapping[str, Any],
    inputs: Sequence[int],
    outputs: int,
    scaling: tuple[float, float],
) -> Architecture:
    """The network of a run's `settings`, for examples of shape `inputs`, as `scaling` takes them.

    `outputs` is the number of classes or targets. Raises StudyError where a model's file cannot be
    run; imports torch for one.
    """
    if not model.is_perceptron:
        return module(model, settings, inputs, outputs, scaling)
    features = int(np.prod(inputs))
    return Perceptron(
        (features, *settings["hidden"], outputs),
        settings["activation"],
        settings["dropout"],
        settings["precision"],
        scaling,
    )


def module(
    model: Definition,
    settings: Mapping[str, Any],
    inputs: Sequence[int],
    outputs: int,
    scaling: tuple[float, float],
) -> Module:
    """As `architecture`, of a model that is not the perceptron."""
    own = {name: settings[name] for name in model.parameters or {}}
    make, loss = model_loading.load(models.source(model.word))
    return Module(make, own, tuple(inputs), outputs, scaling, loss)


def objective(
    task: Task,
    settings: Mapping[str, Any],
    outputs: int,
    spread: tuple[Sequence[float], Sequence[float]] | None = None,
    loss: "Loss | None" = None,
) -> "Objective":
    """The loss, or a model's own `loss`, and the metrics of a run's `task`. Imports torch.

    `spread` is that of the training part's targets, where they are quantities: the mean and the
    deviation of each (data/scaling.py).
    """
    found: Objective
    is_regression = spread is not None and task.name == "regression"
    if spread is not None and is_regression:
        from study.learning.regression import Regression

        found = Regression(*spread)
    else:
        from study.learning.classification import Classification

        balanced = settings["class_weights"] == "balanced"
        found = Classification(outputs, settings["label_smoothing"], balanced)
    if loss is None:
        return found
    from study.learning.own_loss import OwnLoss

    return OwnLoss(loss, found, is_regression)
