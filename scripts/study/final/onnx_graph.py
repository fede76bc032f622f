"""The final model as one ONNX graph, for programs that know nothing of this study."""

import json
import math
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from study.final.export import ExportedModel
from study.final.inference import Layers
from study.support.errors import StudyError

# Old enough for onnx2torch and for the runtimes that are in use. IR 8 was current with it.
OPSET = 17
IR_VERSION = 8

# The graph's input and its type.
IMAGES = ("images", TensorProto.UINT8)
NUMBERS = ("inputs", TensorProto.FLOAT)

# The operators' default constants are torch's. GELU and SiLU have none in this version.
OPERATORS = {
    "relu": "Relu",
    "leaky_relu": "LeakyRelu",
    "elu": "Elu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}


def build(model: ExportedModel) -> onnx.ModelProto:
    """A graph from `images` (n, height, width) uint8 to `probabilities` (n, classes) float32.

    Colour images are (n, channels, height, width). Examples that are no images of 8 bits are
    `inputs` (n, *shape) float32, as the networks take them.
    The probabilities are the mean over the seeds' networks. Each network is a chain of its own:
    OpenVINO compiles no batched product of a graph whose number of images is free. The class names
    are in the metadata under `classes`. Of quantities the graph gives `predictions` (n, targets) in
    their units, which `targets` names in the metadata. A model without networks becomes a
    ModelProto without a graph.
    """
    description = model.description
    if not model.networks:
        return onnx.ModelProto(ir_version=IR_VERSION, doc_string="no network: every seed diverged")
    name, kind = IMAGES if description.is_images else NUMBERS
    inputs = helper.make_tensor_value_info(name, kind, ["n", *description.inputs])
    answers = ["n", description.outputs]
    graph = _of(model)
    built = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "final",
            [inputs],
            [helper.make_tensor_value_info(description.answers, TensorProto.FLOAT, answers)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    described(built, model)
    onnx.checker.check_model(built, full_check=True)
    return built


def input_name(model: ExportedModel) -> str:
    """What the graph calls its input."""
    return IMAGES[0] if model.description.is_images else NUMBERS[0]


def computed(path: Path, examples: np.ndarray) -> np.ndarray:
    """What the graph in a file answers to `examples` (n, ...), in NumPy: (n, outputs).

    Raises StudyError where there is none.
    """
    from onnx.reference import ReferenceEvaluator

    try:
        found = onnx.load(path)
        onnx.checker.check_model(found)
    except Exception as error:
        told = str(error).splitlines()[0][:100]
        raise StudyError(f"{path}: cannot be used ({told}); export the model again") from None
    if not found.HasField("graph"):
        raise StudyError(f"{path}: {found.doc_string or 'has no graph'}")
    [name] = [each.name for each in found.graph.input]
    [answers] = ReferenceEvaluator(found).run(None, {name: examples})
    return np.asarray(answers)


def described(graph: onnx.ModelProto, model: ExportedModel) -> onnx.ModelProto:
    """The graph with what it is of in its metadata."""
    description = model.description
    key = "targets" if description.targets else "classes"
    given = json.dumps(getattr(description, key), ensure_ascii=False)
    told = {"dataset": description.dataset, key: given}
    if description.fitted:
        told["fitted"] = json.dumps(description.fitted, ensure_ascii=False)
    helper.set_model_props(graph, told)
    return graph


def _of(model: ExportedModel) -> "_Graph":
    graph = _Graph()
    if model.description.is_images:
        scale, offset = model.description.scaling
        inputs = graph.node("Cast", IMAGES[0], to=TensorProto.FLOAT)
        inputs = graph.node("Flatten", inputs, axis=1)
        inputs = graph.node("Mul", inputs, graph.number("scale", scale))
        inputs = graph.node("Sub", inputs, graph.number("one", offset))
    else:
        inputs = graph.node("Flatten", NUMBERS[0], axis=1)
    activation = model.description.settings["activation"]
    of_seeds = [
        graph.network(inputs, layers, activation, f"seed_{seed}")
        for seed, layers in model.networks.items()
    ]
    spread = model.description.spread
    if spread is None:
        of_seeds = [graph.node("Softmax", outputs, axis=-1) for outputs in of_seeds]
    total = of_seeds[0]
    for answers in of_seeds[1:]:
        total = graph.node("Add", total, answers)
    count = graph.number("networks", len(of_seeds))
    if spread is None:
        graph.node("Div", total, count, output=model.description.answers)
        return graph
    means, deviations = (np.array(each, np.float32) for each in spread)
    mean = graph.node("Div", total, count)
    scaled = graph.node("Mul", mean, graph.constant("targets.deviation", deviations))
    offset = graph.constant("targets.mean", means)
    graph.node("Add", scaled, offset, output=model.description.answers)
    return graph


class _Graph:
    """Nodes and constants in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: np.ndarray) -> str:
        """Add a constant, once for each name, and give its name."""
        if name not in {each.name for each in self.constants}:
            self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def number(self, name: str, value: float) -> str:
        return self.constant(name, np.float32(value))

    def node(self, operator: str, *inputs: str, output: str = "", **attributes: int) -> str:
        """Add a node and give the name of its output."""
        output = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def network(self, values: str, layers: Layers, activation: str, name: str) -> str:
        """One network's outputs (n, outputs) for `values` (n, features)."""
        for index, (weight, bias) in enumerate(layers):
            if index:
                values = self.activation(values, activation)
            place = f"{name}.layers.{index}"
            values = self.node("MatMul", values, self.constant(f"{place}.weight", weight.T))
            values = self.node("Add", values, self.constant(f"{place}.bias", bias))
        return values

    def activation(self, values: str, name: str) -> str:
        if name == "silu":  # x * sigmoid(x)
            return self.node("Mul", values, self.node("Sigmoid", values))
        if name == "gelu":  # x * (1 + erf(x / sqrt(2))) / 2
            scaled = self.node("Mul", values, self.number("root_of_half", math.sqrt(0.5)))
            share = self.node("Add", self.node("Erf", scaled), self.number("one", 1))
            share = self.node("Mul", share, self.number("half", 0.5))
            return self.node("Mul", values, share)
        return self.node(OPERATORS[name], values)
