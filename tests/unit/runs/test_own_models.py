"""A user's model: loaded and tried, its faults told as its file's, trained exactly."""

import random

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

import own_models
from examples import FEW, random_images, run_settings, small_run, tensor_bytes
from study.data.scaling import PIXELS
from study.learning.classification import Classification
from study.runs import checkpoint, fingerprint, model_loading, models
from study.runs.checkpoint import Checkpoint, Target
from study.runs.replicates import Journal, Saver, extend
from study.spec import config
from study.spec.models import MLP, describe, source
from study.spec.resolution import resolve
from study.support.errors import StudyError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return own_models.write(tmp_path_factory.mktemp("model"))


@pytest.fixture(autouse=True)
def found_anew():
    """Paths of one name may hold another model in the next test."""
    source.cache_clear()


OBJECTIVE = Classification(4)

EXTENSIONS = st.lists(
    st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True), st.integers(1, 4)),
    min_size=1,
    max_size=3,
)

SETTINGS = st.fixed_dictionaries(
    {
        "optimizer": st.sampled_from(["sgd", "adam", "rmsprop", "adamw"]),
        "learning_rate": st.sampled_from([0.01, 0.1]),
        "weight_averaging": st.sampled_from([0.0, 0.9]),
        "batch_norm": st.booleans(),
        "rate": st.sampled_from([0.0, 0.3]),
        "shift": st.sampled_from([0, 1]),
        "channels": st.sampled_from([[3], [3, 4]]),
    }
)


def exact(replicate):
    """All that must be the same to the byte: everything but the seconds."""
    return (
        replicate.measures[:, :5].tobytes(),
        replicate.diverged,
        tensor_bytes(replicate.tensors),
        {epoch: tensor_bytes(each) for epoch, each in replicate.weights.items()},
    )


@FEW
@given(SETTINGS, EXTENSIONS)
@example(
    {"optimizer": "sgd", "momentum": 0.9, "weight_averaging": 0.9, "rate": 0.3},
    [([0], 1), ([1, 0], 3), ([2, 1], 4)],
)
def test_alone_beside_others_stopped_and_extended_it_has_the_same_bytes(
    model, tmp_path_factory, chosen, extensions
):
    folder = tmp_path_factory.mktemp("run")
    settings = own_models.settings_of(model, batch_size=16, **chosen)
    run = own_models.run_of(model, settings)
    path, journal = folder / "state.safetensors", Journal(folder / "journal.jsonl")
    reached: dict[int, int] = {}
    for seeds, epochs in extensions:
        state = checkpoint.read_checkpoint(path) if path.exists() else Checkpoint({"code": "1"})
        saver = Saver(lambda saved: checkpoint.write(path, saved))
        extend(run, state, Target(seeds, epochs), saver, journal, id)
        reached |= {seed: max(epochs, reached.get(seed, 0)) for seed in seeds}
    found = checkpoint.read_checkpoint(path).replicates
    for seed, epochs in reached.items():
        alone = Checkpoint({})
        nowhere = Journal(folder / f"{seed}.jsonl")
        extend(run, alone, Target([seed], epochs), Saver(id), nowhere, id)
        assert exact(found[seed]) == exact(alone.replicates[seed])


def test_the_perceptron_as_a_user_s_file_learns_what_the_stacked_one_does(tmp_path):
    path = own_models.write(tmp_path, own_models.PERCEPTRON)
    chosen = {"learning_rate": 0.1, "hidden": [8, 6], "batch_size": 16, "activation": "tanh"}
    run = own_models.run_of(path, own_models.settings_of(path, **chosen))
    stacked = small_run(run_settings(**chosen))
    # What both begin with: their layers are drawn in another order.
    begun = stacked.architecture.build([0], "cpu")
    layers = stacked.architecture.layers({"parameters": begun.parameters[0].numpy()})
    trainer, other = run.trainer([0]), stacked.trainer([0])
    [module] = trainer.model.modules
    for number, linear in enumerate(each for each in module if isinstance(each, torch.nn.Linear)):
        for part in ("weight", "bias"):
            getattr(linear, part).data.copy_(torch.from_numpy(layers[f"layers.{number}.{part}"]))
    for _ in range(3):
        ours, theirs = trainer.train_epoch(run.train), other.train_epoch(stacked.train)
        assert np.isclose(ours["loss"], theirs["loss"], rtol=1e-5)
        assert ours["accuracy"] == theirs["accuracy"]


def made(text):
    """A model's file whose only class has this body of `forward`, and may do more besides."""
    return (
        "import torch\nfrom torch import nn\n\n\n"
        "class M(nn.Module):\n"
        "    def __init__(self, inputs, outputs, *, units: int = 3):\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(12, outputs)\n\n"
        f"    def forward(self, x):\n        {text}\n"
    )


LINEAR = "return self.linear(x.flatten(1))"

FAULTS = {
    "is missing": ("import nowhere_at_all", ":1: ModuleNotFoundError: No module named 'nowhere_at"),
    "raises": ("1 / 0", ":1: ZeroDivisionError: division by zero (in the model's file, when it is"),
    "prints": ("print('hello')", ": prints when it is imported ('hello')"),
    "exits": (
        "import sys\nsys.exit(3)",
        ":2: RuntimeError: it ends the program (3) (in the model's file, when it is",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_when_it_is_imported_is_told_with_its_line(tmp_path, fault):
    before, message = FAULTS[fault]
    path = own_models.write(tmp_path, f"{before}\n{made(LINEAR)}")
    with pytest.raises(StudyError) as refused:
        model_loading.load(source(str(path)))
    assert f"{path}{message}" in str(refused.value)
    assert "\n" not in str(refused.value)


WRONG = {
    "another shape": (
        "return self.linear(x.flatten(1))[:, :2]",
        ": M: forward gives (2, 2) for 2 examples, not (2, 4)",
    ),
    "float64": (
        "return self.linear(x.flatten(1)).double()",
        ": M: forward gives torch.float64, not torch.float32",
    ),
    "no tensor": ("return None", ": M: forward gives NoneType, not a tensor"),
    "NaN": (
        "return self.linear(x.flatten(1)) * float('nan')",
        ": M: forward gives nan for training examples before it has learned anything",
    ),
    "an error": (
        "return self.linear(x)",
        ":11: RuntimeError: mat1 and mat2 shapes cannot be multiplied",
    ),
    "random numbers from elsewhere": (
        "import random; return self.linear(x.flatten(1)) * random.random()",
        ": M: its numbers are others when it is made and tried again; draw random numbers from "
        "torch alone",
    ),
    "no deterministic form": (
        "y, i = nn.functional.max_pool2d(x, 2, return_indices=True)\n"
        "        return self.linear(nn.functional.max_unpool2d(y, i, 2).flatten(1))",
        ": M: the model is not exact: max_unpooling2d_forward_out does not have a deterministic",
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_when_it_is_tried_is_told_before_it_is_trained(tmp_path, fault):
    body, message = WRONG[fault]
    path = own_models.write(tmp_path, made(body))
    architecture = models.architecture(
        describe(str(path)), own_models.settings_of(path), (1, 2, 6), 4, PIXELS
    )
    with pytest.raises(StudyError) as refused:
        model_loading.check(source(str(path)), architecture, OBJECTIVE, random_images(2), "cpu")
    assert f"{path}{message}" in str(refused.value)


def test_a_right_model_is_loaded_and_leaves_other_random_numbers_alone(model):
    random.seed(1)
    expected = random.random()
    random.seed(1)
    settings = own_models.settings_of(model)
    architecture = models.architecture(describe(str(model)), settings, (1, 2, 6), 4, PIXELS)
    model_loading.check(source(str(model)), architecture, OBJECTIVE, random_images(2), "cpu")
    assert random.random() == expected


def test_a_fault_that_comes_up_later_is_told_with_its_line_and_want_of_memory_stays_that(tmp_path):
    body = f"if len(x) == 5:\n            raise ValueError('five')\n        {LINEAR}"
    path = own_models.write(tmp_path, made(body))
    run = own_models.run_of(path, own_models.settings_of(path, batch_size=16))
    trainer = run.trainer([0])
    with (
        pytest.raises(StudyError, match=r":12: ValueError: five \(in the model's file, when it is"),
        model_loading.told(source(str(path)), "it is trained"),
    ):
        trainer.train_epoch(run.train)
    with pytest.raises(MemoryError), model_loading.told(source(str(path)), "it is trained"):
        raise MemoryError


def test_its_syntax_is_part_of_the_fingerprint_and_that_of_what_it_imports(tmp_path):
    path = own_models.write(tmp_path)
    word = str(path)

    def known():
        source.cache_clear()
        return fingerprint.learning("data", "test", model=describe(word))

    before = known()
    assert fingerprint.learning("data", "test", model=MLP).keys() == before.keys() - {"model"}
    path.write_text(own_models.CNN.replace("# ", "#  ") + "\n# A comment.\n")
    path.write_text(path.read_text().replace("Feature maps", "The feature maps"))
    assert known() == before
    for file, old, new in [
        (path, "rate: float = 0.0", "rate: float = 0.1"),
        (tmp_path / "blocks.py", "nn.ReLU()", "nn.Tanh()"),
    ]:
        content = file.read_text()
        file.write_text(content.replace(old, new))
        assert fingerprint.differing(before, known()) == ["model"]
        file.write_text(content)
    assert known() == before


LOSS = """

def loss(outputs, targets):
    return nn.functional.cross_entropy(outputs, targets, reduction="none")
"""


def test_a_loss_of_its_own_is_minimised_and_recorded(tmp_path):
    plain = own_models.write(tmp_path)
    settings = own_models.settings_of(plain, learning_rate=0.1, batch_size=16, rate=0.3)
    expected = own_models.run_of(plain, settings).trainer([0, 1])
    own = tmp_path / "with_loss.py"
    own.write_text(own_models.CNN + LOSS)
    run = own_models.run_of(own, settings)
    found = run.trainer([0, 1])
    for _ in range(2):
        measured, wanted = found.train_epoch(run.train), expected.train_epoch(run.train)
        np.testing.assert_allclose(measured["loss"], wanted["loss"], rtol=1e-5)
        assert measured["accuracy"] == wanted["accuracy"]
    alone = run.trainer([1])
    for _ in range(2):
        alone.train_epoch(run.train)
    assert tensor_bytes(alone.state()[0]) == tensor_bytes(found.state()[1])
    own.write_text(own_models.CNN + LOSS.replace("return ", "return 3 * "))
    source.cache_clear()
    tripled = own_models.run_of(own, settings)
    once = tripled.trainer([0]).evaluate(tripled.validation)["loss"]
    plainly = run.trainer([0]).evaluate(run.validation)["loss"]
    np.testing.assert_allclose(once, [3 * loss for loss in plainly], rtol=1e-6)


def test_a_loss_of_another_shape_is_told_before_it_is_trained(tmp_path):
    path = own_models.write(tmp_path, own_models.CNN + LOSS.replace('"none"', '"mean"'))
    run = own_models.run_of(path, own_models.settings_of(path))
    with pytest.raises(
        StudyError, match=r"loss gives \(\) for 2 examples, not one number for each"
    ):
        model_loading.check(
            source(str(path)), run.architecture, run.objective, run.train.first(2), "cpu"
        )


@pytest.mark.parametrize(
    ("name", "values"), [("label_smoothing", [0.0, 0.1]), ("class_weights", ["none", "balanced"])]
)
def test_what_only_cross_entropy_uses_is_refused_beside_a_loss_of_its_own(tmp_path, name, values):
    path = own_models.write(tmp_path, own_models.CNN + LOSS)
    described = {
        "model": str(path),
        "experiments": {"varied": {"vary": {name: values}}},
    }
    with pytest.raises(StudyError, match=f"{name} changes nothing: .* a loss of its own"):
        resolve(config.validated(described, "config.yaml"))
