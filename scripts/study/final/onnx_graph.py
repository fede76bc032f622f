"""The final model as one ONNX graph, for programs that know nothing of this study."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from study.final.export import Model
from study.final.inference import Layers

# Old enough for the runtimes that are in use, new enough to have Gelu.
OPSET = 20
IR_VERSION = 9

# The operators' default constants are torch's. SiLU, x * sigmoid(x), has none in this version.
OPERATORS = {
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "gelu": "Gelu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}


def build(model: Model) -> onnx.ModelProto:
    """A graph from `images` (n, height, width) uint8 to `probabilities` (n, classes) float32.

    The probabilities are the mean over the seeds' networks. The class names are in the metadata
    under `classes`. A model without networks becomes a ModelProto without a graph.
    """
    described = model.description
    if not model.networks:
        return onnx.ModelProto(ir_version=IR_VERSION, doc_string="no network: every seed diverged")
    images = ["n", described.height, described.width]
    probabilities = ["n", len(described.classes)]
    graph = _of(model)
    built = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "final",
            [helper.make_tensor_value_info("images", TensorProto.UINT8, images)],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, probabilities)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    classes = json.dumps(described.classes, ensure_ascii=False)
    helper.set_model_props(built, {"dataset": described.dataset, "classes": classes})
    onnx.checker.check_model(built, full_check=True)
    return built


def _of(model: Model) -> "_Graph":
    """The networks of all seeds as one stack: each weight is (seeds, inputs, outputs)."""
    graph = _Graph()
    values = graph.node("Cast", "images", to=TensorProto.FLOAT)
    values = graph.node("Flatten", values, axis=1)
    values = graph.node("Mul", values, graph.constant("scale", np.float32(1 / 127.5)))
    values = graph.node("Sub", values, graph.constant("one", np.float32(1)))
    *hidden, last = zip(*model.networks.values(), strict=True)
    for index, layers in enumerate(hidden):
        values = graph.linear(values, layers, f"layers.{index}")
        values = graph.activation(values, model.description.settings["activation"])
    values = graph.linear(values, last, f"layers.{len(hidden)}")
    values = graph.node("Softmax", values, axis=-1)
    seeds = graph.constant("seeds", np.array([0], np.int64))
    graph.node("ReduceMean", values, seeds, keepdims=0, output="probabilities")
    return graph


class _Graph:
    """Nodes and constants in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: int) -> str:
        """Add a node and give the name of its output."""
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def linear(self, values: str, layers: Layers, name: str) -> str:
        """One layer of every seed."""
        weight = np.stack([weight.T for weight, _ in layers])
        bias = np.stack([bias[None] for _, bias in layers])
        values = self.node("MatMul", values, self.constant(f"{name}.weight", weight))
        return self.node("Add", values, self.constant(f"{name}.bias", bias))

    def activation(self, values: str, name: str) -> str:
        if name == "silu":
            return self.node("Mul", values, self.node("Sigmoid", values))
        return self.node(OPERATORS[name], values)
