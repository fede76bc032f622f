"""The networks of several replicates as one stack, with a leading replicate axis.

A small network leaves most of a processor idle, so replicates are computed together: each layer
is one batched product. No operation mixes replicates, and each replicate's part of every tensor
is aligned as it would be alone. On the CPU with one thread a replicate's bytes are
therefore the same alone and in any stack; tests/unit/learning/test_trainer.py shows it.
"""

import functools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from study.learning.layout import aligned, parameters_width, split_layers
from study.learning.streams import stream

aten = torch.ops.aten

# Each activation with its gradient, which takes the gradient behind it, its input z and its
# output a, and leaves the gradient before it in `grad_input`. Constants are torch's defaults.
# Overloads are named: to look one up takes as long as the work.
ACTIVATIONS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "relu": (
        functools.partial(torch.clamp_min, min=0),
        lambda grad, z, a, **out: aten.threshold_backward.grad_input(grad, a, 0, **out),
    ),
    "leaky_relu": (
        aten.leaky_relu.out,
        lambda grad, z, a, **out: aten.leaky_relu_backward.grad_input(grad, z, 0.01, False, **out),
    ),
    "elu": (
        aten.elu.out,
        lambda grad, z, a, **out: aten.elu_backward.grad_input(grad, 1, 1, 1, False, z, **out),
    ),
    "gelu": (
        aten.gelu.out,
        lambda grad, z, a, **out: aten.gelu_backward.grad_input(grad, z, **out),
    ),
    "silu": (
        aten.silu.out,
        lambda grad, z, a, **out: aten.silu_backward.grad_input(grad, z, **out),
    ),
    "tanh": (
        aten.tanh.out,
        lambda grad, z, a, **out: aten.tanh_backward.grad_input(grad, a, **out),
    ),
    "sigmoid": (
        aten.sigmoid.out,
        lambda grad, z, a, **out: aten.sigmoid_backward.grad_input(grad, a, **out),
    ),
}


def _multiply(a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None = None) -> None:
    if bias is None:
        torch.bmm(a, b, out=out)
    else:
        torch.baddbmm(bias, a, b, out=out)


def _multiply_bfloat16(a: Tensor, b: Tensor, out: Tensor, bias: Tensor | None = None) -> None:
    if out.device.type == "cpu":
        # The same factors, multiplied as float32: few processors multiply bfloat16, and on the
        # others it takes ten times as long.
        _multiply(_rounded(a), _rounded(b), out, bias)
    else:
        out.copy_(torch.bmm(a.bfloat16(), b.bfloat16()))
        if bias is not None:
            out.add_(bias)


def _rounded(matrices: Tensor) -> Tensor:
    """`matrices` as bfloat16 has them, each replicate's aligned in memory as before."""
    if matrices.stride(0) == 0:
        # One batch for all replicates.
        return _rounded(matrices[0][None]).expand(matrices.shape)
    rounded = torch.empty_strided(matrices.shape, matrices.stride())
    return rounded.copy_(matrices.bfloat16())


# The product of matrices a (replicates, n, k) and b (replicates, k, m), plus `bias`
# (replicates, 1, m) if given, into `out`. All else is float32 in either precision.
PRODUCTS: dict[str, Callable[..., None]] = {
    "float32": _multiply,
    "bfloat16": _multiply_bfloat16,
}

# Dropout draws 16 random bits an element: a rate is kept to 1/65536.
RESOLUTION = 2**16


class Block:
    """Memory for (replicates, rows, columns) float32, each replicate's part aligned.

    `matrix` has that shape; `flat` (replicates, aligned(rows * columns)) is the same memory with
    its padding, on which element-wise operations have no remainder to treat differently.
    """

    def __init__(self, replicates: int, rows: int, columns: int, device: str):
        self.flat = torch.zeros(replicates, aligned(rows * columns), device=device)
        self.matrix = self.flat[:, : rows * columns].view(replicates, rows, columns)


class Layer:
    """What one hidden layer computes for a batch: more for training than for judging."""

    def __init__(self, replicates: int, rows: int, width: int, device: str):
        self._block = lambda: Block(replicates, rows, width, device)
        self.linear = self._block()
        self.activated = self._block()

    @functools.cached_property
    def mask(self) -> Block:
        return self._block()

    @functools.cached_property
    def output(self) -> Block:
        return self._block()

    @functools.cached_property
    def delta(self) -> Block:
        return self._block()


class StackedMLP:
    """Multilayer perceptrons: hidden layers with activation and dropout, then a linear layer.

    Inputs are taken as `x * scale - offset`, with `scaling` these two; see data/scaling.py.

    `parameters` and `gradient` are (replicates, P) float32: every weight and bias of a replicate
    in one row (layout.py), so that one optimizer step is one pass over memory. `weights[l]`
    (replicates, inputs, outputs) and `biases[l]` (replicates, 1, outputs) are views of it.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str,
        dropout: float,
        replicates: int,
        device: str = "cpu",
        precision: str = "float32",
        scaling: tuple[float, float] = (1.0, 0.0),
    ):
        self.sizes = list(sizes)
        self.outputs = self.sizes[-1]
        self.buffers: dict[str, Tensor] = {}
        self.replicates = replicates
        self.device = device
        self.activate, self.activation_gradient = ACTIVATIONS[activation]
        self.dropped = round(dropout * RESOLUTION)
        self.multiply = PRODUCTS[precision]
        self.scale, self.offset = scaling
        self.parameters = torch.zeros(replicates, parameters_width(sizes), device=device)
        self.gradient = torch.zeros_like(self.parameters)
        self.weights, self.biases = split_layers(self.parameters, sizes)
        self.weight_gradients, self.bias_gradients = split_layers(self.gradient, sizes)
        self._memory: dict[torch.Size, tuple[Block, list[Layer], Block, Block]] = {}

    def initialise(self, seeds: Sequence[int]) -> None:
        """Draw the parameters as `torch.nn.Linear` does: uniform within 1 / sqrt(inputs)."""
        for replicate, seed in enumerate(seeds):
            generator = stream(seed, "initialisation", 0)
            for weight, bias in zip(self.weights, self.biases, strict=True):
                bound = 1 / math.sqrt(weight.shape[1])
                for part in (weight[replicate], bias[replicate]):
                    drawn = torch.empty(part.shape).uniform_(-bound, bound, generator=generator)
                    part.copy_(drawn)

    def _memory_for(self, batches: torch.Size) -> tuple[Block, list[Layer], Block, Block]:
        """Inputs, hidden layers, outputs and their gradient for `batches` (n, rows), made once."""
        if batches not in self._memory:
            shape = (self.replicates, batches[1])
            self._memory[batches] = (
                Block(*batches, self.sizes[0], self.device),
                [Layer(*shape, width, self.device) for width in self.sizes[1:-1]],
                Block(*shape, self.sizes[-1], self.device),
                Block(*shape, self.sizes[-1], self.device),
            )
        return self._memory[batches]

    def streams(self, seeds: Sequence[int], epoch: int) -> list[torch.Generator]:
        """Each replicate's generator for dropout."""
        # Other devices than these two lack a generator of 64 random bits.
        drawn_on = "cuda" if self.device == "cuda" else "cpu"
        return [stream(seed, "dropout", epoch, drawn_on) for seed in seeds]

    def forward(self, inputs: Tensor, streams: Sequence[torch.Generator] | None = None) -> Tensor:
        """Outputs (replicates, n, outputs) for `inputs` (replicates, n, features).

        `inputs` may be one batch for all, (1, n, features). Dropout is on where `streams` gives
        each replicate's generator for it. The result is overwritten by the next batch of as many
        rows.
        """
        scaled, layers, outputs, _ = self._memory_for(inputs.shape[:2])
        scaled.matrix.copy_(inputs)
        scaled.flat.mul_(self.scale).sub_(self.offset)
        values = scaled.matrix.expand(self.replicates, -1, -1)
        for layer, weight, bias in zip(layers, self.weights[:-1], self.biases[:-1], strict=True):
            self.multiply(values, weight, layer.linear.matrix, bias)
            self.activate(layer.linear.flat, out=layer.activated.flat)
            values = layer.activated.matrix
            if streams and self.dropped:
                self._draw_mask(layer.mask.flat, streams)
                torch.mul(layer.activated.flat, layer.mask.flat, out=layer.output.flat)
                values = layer.output.matrix
        self.multiply(values, self.weights[-1], outputs.matrix, self.biases[-1])
        return outputs.matrix

    def backward(self, delta: Tensor) -> None:
        """Fill `gradient`, given the loss's gradient at the outputs of the batch just forwarded.

        `delta` is (replicates, n, outputs).
        """
        inputs, layers, _, aligned_delta = self._memory_for(delta.shape[:2])
        delta = aligned_delta.matrix.copy_(delta)
        for index in reversed(range(len(self.weights))):
            layer = layers[index - 1] if index else None
            if layer is None:
                values = inputs.matrix
            else:
                values = (layer.output if self.dropped else layer.activated).matrix
            self.multiply(values.mT, delta, self.weight_gradients[index])
            torch.sum(delta, 1, keepdim=True, out=self.bias_gradients[index])
            if layer is not None:
                self.multiply(delta, self.weights[index].mT, layer.delta.matrix)
                flat = layer.delta.flat
                if self.dropped:
                    flat.mul_(layer.mask.flat)
                self.activation_gradient(
                    flat, layer.linear.flat, layer.activated.flat, grad_input=flat
                )
                delta = layer.delta.matrix

    def _draw_mask(self, mask: Tensor, streams: Sequence[torch.Generator]) -> None:
        """Zero for a dropped unit, 1 / (1 - rate) for a kept one, as PyTorch scales."""
        words = torch.empty(
            self.replicates, mask.shape[1] // 4, dtype=torch.int64, device=streams[0].device
        )
        for row, generator in zip(words.unbind(), streams, strict=True):
            row.random_(-(2**63), None, generator=generator)
        bits = words.view(torch.int16).to(mask.device)
        torch.ge(bits, self.dropped - RESOLUTION // 2, out=mask)
        mask.mul_(RESOLUTION / (RESOLUTION - self.dropped))
