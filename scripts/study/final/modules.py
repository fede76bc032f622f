"""A final model of modules from a file: their answers and their ONNX graph, by torch."""

import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from study.data.scaling import Spread
from study.runs import arithmetic
from study.runs.models import Module

# As the graphs of perceptrons (onnx_graph.py).
OPSET = 17

# Examples that are computed at once.
BATCH = 250

# What the graph's probabilities may differ by from torch's; predictions in units of deviations.
TOLERANCE = 1e-5


class Answering:
    """What modules of one architecture answer: probabilities, or predictions of this `spread`."""

    def __init__(self, architecture: Module, spread: Spread | None):
        arithmetic.settle()
        self.architecture = architecture
        self.spread = spread

    def __call__(self, inputs: np.ndarray, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
        """The answers (n, outputs) to `inputs` (n, features), as stored, by these tensors."""
        ensemble = Ensemble(self.architecture, [tensors], self.spread)
        with torch.inference_mode():
            found = [ensemble(part) for part in torch.from_numpy(inputs).split(BATCH)]
        return np.concatenate([part.numpy() for part in found])


class Ensemble(nn.Module):
    """Modules with the tensors of several networks, whose answers are averaged."""

    def __init__(
        self,
        architecture: Module,
        networks: Sequence[Mapping[str, np.ndarray]],
        spread: Spread | None,
    ):
        super().__init__()
        self.spread = spread and [torch.tensor(each, dtype=torch.float32) for each in spread]
        self.shape = architecture.inputs
        self.scale, self.offset = architecture.scaling
        self.networks = nn.ModuleList([architecture.restored(tensors) for tensors in networks])

    def forward(self, inputs: Tensor) -> Tensor:
        """The answers (n, outputs) to `inputs` (n, ...), as stored."""
        values = inputs.float().mul(self.scale).sub(self.offset).reshape(-1, *self.shape)
        return torch.stack([self._answers(network(values)) for network in self.networks]).mean(0)

    def _answers(self, outputs: Tensor) -> Tensor:
        if self.spread is None:
            return outputs.softmax(1)
        means, deviations = self.spread
        return outputs * deviations + means


def graph(
    architecture: Module,
    networks: Sequence[Mapping[str, np.ndarray]],
    name: str,
    examples: np.ndarray,
    spread: Spread | None = None,
) -> onnx.ModelProto:
    """The ensemble as an ONNX graph from `name` (n, ...), as stored, to `probabilities`.

    Of targets with a `spread` it gives `predictions`.

    It is checked against torch on `examples`, in the form that it takes. A ModelProto without a
    graph, whose text says why, where torch cannot export the module.
    """
    ensemble = Ensemble(architecture, networks, spread).eval()
    answers, unit = ("predictions", np.array(spread[1])) if spread else ("probabilities", 1)
    inputs = torch.from_numpy(examples)
    written = io.BytesIO()
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            # The exporter by TorchScript: that by torch.export needs a package of its own and gives
            # no graph of this version.
            torch.onnx.export(
                ensemble,
                (inputs,),
                written,
                input_names=[name],
                output_names=[answers],
                dynamic_axes={name: {0: "n"}, answers: {0: "n"}},
                opset_version=OPSET,
                dynamo=False,
            )
            expected = ensemble(inputs).numpy()
        found = onnx.load_model_from_string(written.getvalue())
        # Of another number of examples than it was exported with, too.
        evaluator = ReferenceEvaluator(found)
        for count in (len(examples), 1):
            [given] = evaluator.run([answers], {name: examples[:count]})
            difference = float((np.abs(given - expected[:count]) / unit).max())
            if not difference <= TOLERANCE:
                raise ValueError(f"its {answers} differ by {difference:.2g} from torch's")
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return onnx.ModelProto(ir_version=8, doc_string=f"no graph: {reason[0][:200]}")
    return found
