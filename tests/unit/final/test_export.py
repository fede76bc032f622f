"""The model to take away says the same in NumPy and in ONNX, and travels with all it needs."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import ACTIVATIONS, FEW
from networks import SIDE, made_up_model, random_images
from study.final import export, onnx_graph, weights
from study.final.export import ExportedModel
from study.support.errors import StudyError


def by_onnx(graph, pixels):
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    [probabilities] = session.run(["probabilities"], {"images": pixels})
    return probabilities


@FEW
@given(
    st.sampled_from(ACTIVATIONS),
    st.lists(st.integers(2, 30), min_size=1, max_size=3),
    st.integers(1, 3),
)
def test_onnx_says_the_same(activation, hidden, seeds):
    found = made_up_model(activation, hidden, range(seeds))
    probabilities = by_onnx(onnx_graph.build(found), random_images())
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities, found.probabilities(random_images()), rtol=0, atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_other_runtimes_take_the_graph(activation):
    """OpenVINO compiles no batched product of a free number of images, onnx2torch no Cast of 19."""
    graph = onnx_graph.build(made_up_model(activation, [5, 4], range(2)))
    assert [each.version for each in graph.opset_import] == [17]
    shapes = {each.name: list(each.dims) for each in graph.graph.initializer}
    products = [node for node in graph.graph.node if node.op_type == "MatMul"]
    assert len(products) == 2 * 3
    assert all(len(shapes[node.input[1]]) == 2 for node in products)


def test_the_model_is_the_mean_of_its_networks():
    whole = made_up_model()
    alone = [
        ExportedModel(whole.description, {seed: whole.networks[seed]}) for seed in whole.networks
    ]
    expected = np.mean([each.probabilities(random_images()) for each in alone], axis=0)
    assert np.allclose(whole.probabilities(random_images()), expected, atol=1e-7)


def test_the_graph_has_names_and_sizes():
    graph = onnx_graph.build(made_up_model())
    onnx.checker.check_model(graph, full_check=True)
    assert by_onnx(graph, random_images(1)).shape == (1, 3)
    assert json.loads({each.key: each.value for each in graph.metadata_props}["classes"]) == [
        *("cat", "dög", "c")
    ]
    with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument):
        by_onnx(graph, random_images()[:, :-1])


def test_what_is_written_is_read_and_the_same_bytes(tmp_path):
    whole, paths = made_up_model(), [tmp_path / "one.safetensors", tmp_path / "two.safetensors"]
    for path in paths:
        export.write(path, whole)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    found = export.read_model(paths[0])
    assert found.description == whole.description
    assert np.array_equal(
        found.probabilities(random_images()), whole.probabilities(random_images())
    )


def test_the_weights_are_those_of_linear_layers(tmp_path):
    export.write(tmp_path / export.FILE, made_up_model())
    with weights.opened(tmp_path / export.FILE, "") as file:
        assert file.get_tensor("seed_3.layers.0.weight").shape == (9, SIDE**2)
        assert file.get_tensor("seed_3.layers.2.bias").shape == (3,)
        assert len(file.keys()) == 3 * 3 * 2


def test_a_model_whose_seeds_all_diverged_is_written_and_has_nothing(tmp_path):
    nothing = made_up_model(seeds=())
    export.write(tmp_path / export.FILE, nothing)
    assert export.read_model(tmp_path / export.FILE).networks == {}
    assert not onnx_graph.build(nothing).HasField("graph")


def test_a_file_that_is_no_model_is_named(tmp_path):
    (tmp_path / export.FILE).write_bytes(b"nonsense")
    with pytest.raises(StudyError, match=r"model\.safetensors: is damaged"):
        export.read_model(tmp_path / export.FILE)


def test_the_border_is_the_edge():
    pixels = np.zeros((2, 4, 5), np.uint8)
    pixels[:, 1:-1, 1:-1] = 9
    assert export.border(pixels).shape == (2, 14)
    assert export.border(pixels).max() == 0
    assert (pixels == 9).sum() == 2 * 6
