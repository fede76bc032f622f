#!/bin/sh
# OpenVINO 2026.4.1: a graph in which a matrix is multiplied by a stack of matrices does not compile
# for the CPU where the number of rows is free; with a fixed number, or a product a matrix, it does.
#
# ONNX's MatMul broadcasts as NumPy's does: (n, 4) times (3, 4, 2) is (3, n, 2). onnx's checker finds
# nothing wrong in such a graph, and ONNX Runtime runs it with any n.
#
# Output seen (openvino 2026.4.1, onnx 1.23.2, onnxruntime 1.32.0):
#   stack, free number of rows: onnxruntime runs, openvino does not compile
#   stack, 5 rows: onnxruntime runs, openvino runs
#   a product a matrix, free number of rows: onnxruntime runs, openvino runs
#
# What to do: give each network of an ensemble a chain of products of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    openvino==2026.4.1 onnx==1.23.2 onnxruntime==1.32.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

ROWS = np.arange(20, dtype=np.float32).reshape(5, 4)
WEIGHTS = np.arange(24, dtype=np.float32).reshape(3, 4, 2)


def graph(rows, weights):
    """The sum of the products of `x` (rows, 4) with each of `weights`."""
    nodes, constants = [], []
    shape = [*weights[0].shape[:-2], rows, 2]
    for number, weight in enumerate(weights):
        constants.append(numpy_helper.from_array(weight, f"w{number}"))
        nodes.append(helper.make_node("MatMul", ["x", f"w{number}"], [f"product{number}"]))
    nodes.append(helper.make_node("Sum", [f"product{n}" for n in range(len(weights))], ["y"]))
    made = helper.make_graph(
        nodes,
        "products",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def by_onnxruntime(model):
    onnxruntime.InferenceSession(model).run(None, {"x": ROWS})
    return "runs"


def by_openvino(model):
    core = openvino.Core()
    try:
        compiled = core.compile_model(core.read_model(model), "CPU")
    except RuntimeError:
        return "does not compile"
    compiled(ROWS)
    return "runs"


found = []
for name, model in {
    "stack, free number of rows": graph("n", [WEIGHTS]),
    "stack, 5 rows": graph(5, [WEIGHTS]),
    "a product a matrix, free number of rows": graph("n", list(WEIGHTS)),
}.items():
    found.append((by_onnxruntime(model), by_openvino(model)))
    print(f"{name}: onnxruntime {found[-1][0]}, openvino {found[-1][1]}")

seen = [("runs", "does not compile"), ("runs", "runs"), ("runs", "runs")]
sys.exit(None if found == seen else "it behaves otherwise now")
PYTHON
