"""A final model of modules from a file: their probabilities and their ONNX graph, by torch."""

import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnx
import torch
from onnx.reference import ReferenceEvaluator
from torch import Tensor, nn

from study.runs import arithmetic
from study.runs.models import Module

# As the graphs of perceptrons (onnx_graph.py).
OPSET = 17

# Examples that are computed at once.
BATCH = 250

# What the graph's probabilities may differ by from torch's.
TOLERANCE = 1e-5


class Classifier:
    """The class probabilities that modules of one architecture give."""

    def __init__(self, architecture: Module):
        arithmetic.settle()
        self.architecture = architecture

    def __call__(self, inputs: np.ndarray, tensors: Mapping[str, np.ndarray]) -> np.ndarray:
        """Probabilities (n, classes) of `inputs` (n, features), as stored, by these tensors."""
        ensemble = Ensemble(self.architecture, [tensors])
        with torch.inference_mode():
            found = [ensemble(part) for part in torch.from_numpy(inputs).split(BATCH)]
        return np.concatenate([part.numpy() for part in found])


class Ensemble(nn.Module):
    """Modules with the tensors of several networks, whose probabilities are averaged."""

    def __init__(self, architecture: Module, networks: Sequence[Mapping[str, np.ndarray]]):
        super().__init__()
        self.shape = architecture.inputs
        self.scale, self.offset = architecture.scaling
        self.networks = nn.ModuleList([architecture.restored(tensors) for tensors in networks])

    def forward(self, inputs: Tensor) -> Tensor:
        """Probabilities (n, classes) of `inputs` (n, ...), as stored."""
        values = inputs.float().mul(self.scale).sub(self.offset).reshape(-1, *self.shape)
        found = torch.stack([network(values).softmax(1) for network in self.networks])
        return found.mean(0)


def graph(
    architecture: Module,
    networks: Sequence[Mapping[str, np.ndarray]],
    name: str,
    examples: np.ndarray,
) -> onnx.ModelProto:
    """The ensemble as an ONNX graph from `name` (n, ...), as stored, to `probabilities`.

    It is checked against torch on `examples`, in the form that it takes. A ModelProto without a
    graph, whose text says why, where torch cannot export the module.
    """
    ensemble = Ensemble(architecture, networks).eval()
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
                output_names=["probabilities"],
                dynamic_axes={name: {0: "n"}, "probabilities": {0: "n"}},
                opset_version=OPSET,
                dynamo=False,
            )
            expected = ensemble(inputs).numpy()
        found = onnx.load_model_from_string(written.getvalue())
        # Of another number of examples than it was exported with, too.
        evaluator = ReferenceEvaluator(found)
        for count in (len(examples), 1):
            [given] = evaluator.run(["probabilities"], {name: examples[:count]})
            difference = float(np.abs(given - expected[:count]).max())
            if not difference <= TOLERANCE:
                raise ValueError(f"its probabilities differ by {difference:.2g} from torch's")
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        return onnx.ModelProto(ir_version=8, doc_string=f"no graph: {reason[0][:200]}")
    return found
