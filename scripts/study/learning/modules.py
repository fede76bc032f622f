"""Replicates of any torch.nn.Module, whose parameters are views of rows.

Optimizers, averaging and checkpoints see rows, as they do of perceptrons. Replicates are computed
one by one, each with random numbers of its own: modules computed together, as by torch.func, have
other bits than alone.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from study.learning.layout import aligned
from study.learning.streams import stream


class ModelError(Exception):
    """What a person can mend in a model: it tells what it is."""


class RandomNumbers:
    """What a module draws from torch's own generators, apart from all others that draw there."""

    def __init__(self, seed: int, purpose: str, epoch: int, device: str):
        self.generators = [torch.default_generator]
        if device == "cuda":
            self.generators.append(torch.cuda.default_generators[torch.cuda.current_device()])
        self.states = [
            stream(seed, purpose, epoch, str(generator.device)).get_state()
            for generator in self.generators
        ]

    @contextlib.contextmanager
    def drawn(self) -> Iterator[None]:
        """Within, torch draws these numbers, and goes on with its own afterwards."""
        before = [generator.get_state() for generator in self.generators]
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.set_state(state)
        try:
            yield
        finally:
            self.states = [generator.get_state() for generator in self.generators]
            for generator, state in zip(self.generators, before, strict=True):
                generator.set_state(state)


class ModuleReplicates:
    """The modules that `build` gives under each of `seeds`, behind the seam of model.py.

    A module takes (n, *shape) float32, the stored inputs as `x * scale - offset`, and gives
    (n, outputs) float32. Each parameter begins on an aligned place of its replicate's row. Frozen
    parameters and buffers are in `buffers`, a row for each kind of number. Raises ModelError for a
    module that cannot be trained so.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        seeds: Sequence[int],
        shape: Sequence[int],
        outputs: int,
        device: str = "cpu",
        scaling: tuple[float, float] = (1.0, 0.0),
    ):
        settle()
        self.shape, self.outputs, self.device = tuple(shape), outputs, device
        self.scale, self.offset = scaling
        self.modules = []
        for seed in seeds:
            with RandomNumbers(seed, "initialisation", 0, device).drawn():
                self.modules.append(build().to(device))
        self.seeds = list(seeds)
        self.parameters = self._rows([_trained(module) for module in self.modules])
        self.gradient = torch.zeros_like(self.parameters)
        self._views: list[list[tuple[nn.Module, str, Tensor]]] = [[] for _ in self.modules]
        self._adopt_parameters()
        self.buffers = self._adopt_buffers()
        self._met: list[Tensor] = []

    def _rows(self, tensors: Sequence[dict[str, Tensor]]) -> Tensor:
        width = sum(aligned(tensor.numel()) for tensor in tensors[0].values())
        dtype = next((tensor.dtype for tensor in tensors[0].values()), torch.float32)
        return torch.zeros(len(tensors), width, dtype=dtype, device=self.device)

    def _adopt_parameters(self) -> None:
        for module, row, gradient in zip(self.modules, self.parameters, self.gradient, strict=True):
            for (name, parameter), part, slope in _parts(_trained(module), row, gradient):
                if parameter.dtype != torch.float32:
                    raise ModelError(f"parameter {name} is {parameter.dtype}, not torch.float32")
                part.copy_(parameter.detach())
                parameter.data = part
                parameter.grad = slope

    def _adopt_buffers(self) -> dict[str, Tensor]:
        """Rows of buffers and frozen parameters, by their kind of number."""
        found: dict[str, Tensor] = {}
        kept = [_kept(module) for module in self.modules]
        for dtype in dict.fromkeys(tensor.dtype for tensor in kept[0].values()):
            own = [{n: t for n, t in each.items() if t.dtype == dtype} for each in kept]
            rows = found[str(dtype).removeprefix("torch.")] = self._rows(own)
            for replicate, (module, tensors) in enumerate(zip(self.modules, own, strict=True)):
                for (name, tensor), part in _parts(tensors, rows[replicate]):
                    part.copy_(tensor.detach())
                    if isinstance(tensor, nn.Parameter):
                        tensor.data = part
                        continue
                    # Views count each other's changes, which autograd would take for its own; by
                    # `data` each counts alone.
                    part = part.data
                    place, _, leaf = name.rpartition(".")
                    owner = module.get_submodule(place)
                    owner._buffers[leaf] = part
                    self._views[replicate].append((owner, leaf, part))
        return found

    def streams(self, seeds: Sequence[int], epoch: int) -> list[RandomNumbers]:
        """Each replicate's random numbers, as for dropout."""
        return [RandomNumbers(seed, "dropout", epoch, self.device) for seed in seeds]

    def forward(self, inputs: Tensor, streams: Sequence[Any] | None = None) -> Tensor:
        """Outputs (replicates, n, outputs) for `inputs` (replicates or 1, n, features)."""
        training = streams is not None
        drawing = self._evaluating() if streams is None else streams
        self._met = []
        # Autograd keeps no tensors that were made in inference mode.
        with torch.inference_mode(False), torch.set_grad_enabled(training):
            for replicate, module in enumerate(self.modules):
                stored = inputs[replicate if len(inputs) > 1 else 0]
                values = torch.empty(stored.shape, device=self.device).copy_(stored)
                values = values.mul_(self.scale).sub_(self.offset).view(-1, *self.shape)
                if module.training != training:
                    module.train(training)
                with drawing[replicate].drawn(), _told():
                    outputs = module(values)
                self._met.append(self._checked(outputs, len(values)))
                if training:
                    self._keep_buffers(replicate)
        return torch.stack([outputs.detach() for outputs in self._met])

    def backward(self, delta: Tensor) -> None:
        """Fill `gradient` by automatic differentiation."""
        self.gradient.zero_()
        with torch.inference_mode(False), _told():
            for outputs, slope in zip(self._met, delta, strict=True):
                torch.autograd.backward(outputs, slope.clone())

    def _evaluating(self) -> list[RandomNumbers]:
        """For modules that draw in evaluation too: the same numbers for each batch."""
        return [RandomNumbers(seed, "evaluation", 0, self.device) for seed in self.seeds]

    def _checked(self, outputs: Any, count: int) -> Tensor:
        if not isinstance(outputs, Tensor):
            raise ModelError(f"forward gives {type(outputs).__name__}, not a tensor")
        wanted = (count, self.outputs)
        if tuple(outputs.shape) != wanted:
            shape = tuple(outputs.shape)
            raise ModelError(f"forward gives {shape} for {count} examples, not {wanted}")
        if outputs.dtype != torch.float32:
            raise ModelError(f"forward gives {outputs.dtype}, not torch.float32")
        return outputs

    def _keep_buffers(self, replicate: int) -> None:
        """Take what a module has put in a buffer's place into its row."""
        for owner, leaf, part in self._views[replicate]:
            current = owner._buffers[leaf]
            if current is not part:
                part.copy_(current.detach())
                owner._buffers[leaf] = part


def settle() -> None:
    """Have torch compute any module in one way alone, and refuse what has none."""
    # cuBLAS asks for it, before it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Under it padded positions are computed otherwise in evaluation than in training.
    torch.backends.mha.set_fastpath_enabled(False)


def named(module: nn.Module, row: Any, buffers: dict[str, Any]) -> dict[str, Any]:
    """The tensors of a module's state_dict, as views of a replicate's row and rows of buffers."""
    found = {name: part for (name, _), part in _parts(_trained(module), row)}
    for kind, own in buffers.items():
        kept = {n: t for n, t in _kept(module).items() if str(t.dtype) == f"torch.{kind}"}
        found |= {name: part for (name, _), part in _parts(kept, own)}
    wanted = module.state_dict()
    return {name: found[name] for name in wanted if name in found}


def _trained(module: nn.Module) -> dict[str, Tensor]:
    return {name: each for name, each in module.named_parameters() if each.requires_grad}


def _kept(module: nn.Module) -> dict[str, Tensor]:
    frozen = {name: each for name, each in module.named_parameters() if not each.requires_grad}
    return frozen | dict(module.named_buffers())


def _parts(tensors: dict[str, Tensor], *rows: Any) -> Iterator[tuple[Any, ...]]:
    """Each name and tensor with its part of each row, in the tensor's shape."""
    start = 0
    for name, tensor in tensors.items():
        end = start + tensor.numel()
        yield ((name, tensor), *(row[start:end].reshape(tensor.shape) for row in rows))
        start += aligned(tensor.numel())


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Name an operation that has no deterministic form."""
    try:
        yield
    except RuntimeError as error:
        if "deterministic" in str(error):
            raise ModelError(f"the model is not exact: {str(error).splitlines()[0]}") from error
        raise
