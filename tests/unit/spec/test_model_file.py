"""A model's file is read, and not run: its settings, and what is wrong in it with file and line."""

import json
import subprocess
import sys

import pytest

from study.runs.fingerprint import LIBRARY
from study.spec import config, models
from study.spec.model_file import read
from study.spec.resolution import resolve
from study.support.errors import StudyError

GOOD = '''\
import torch
from torch import nn

raise SystemExit("this file is not to be run by reading it")


class Block(nn.Module):
    def __init__(self, before, after):
        super().__init__()


class SmallCnn(nn.Module):
    """Two convolutions and a linear layer.

    More of it.

    Args:
        channels: Feature maps of each convolution,
            one number for each.
        rate: How often.
    """

    def __init__(
        self,
        inputs: tuple[int, ...],
        outputs: int,
        width: "int" = 3,
        *,
        channels: list[int] = (16, 32),
        rates: tuple[float, ...] = [0.5, 1],
        rate: float = 1,
        norm: bool = True,
        pooling: Literal["max", "average"] = "max",
        title: str = "x",
    ):
        super().__init__()

    def forward(self, x):
        return x
'''


@pytest.fixture
def write(tmp_path):
    def write(text, name="my_model.py"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def model(parameters, name="M"):
    """A file with a model that has these parameters in its second line."""
    return f"class {name}(Module):\n    def __init__(self, inputs, outputs, {parameters}): pass\n"


def test_parameters_are_settings_with_type_default_and_description(write):
    found = read(write(GOOD))
    assert (found.name, found.summary) == ("SmallCnn", "Two convolutions and a linear layer.")
    parameters = dict(found.parameters)
    assert list(parameters) == ["width", "channels", "rates", "rate", "norm", "pooling", "title"]
    assert parameters["width"] == {"type": "integer", "default": 3}
    channels = parameters["channels"]
    assert channels["default"] == [16, 32]
    assert channels["items"] == {"type": "integer"}
    assert channels["description"] == "Feature maps of each convolution, one number for each."
    assert repr(parameters["rates"]["default"]) == "[0.5, 1.0]"
    assert repr(parameters["rate"]["default"]) == "1.0"
    assert parameters["rate"]["description"] == "How often."
    assert parameters["norm"] == {"type": "boolean", "default": True}
    assert parameters["pooling"] == {"enum": ["max", "average"], "default": "max"}
    assert parameters["title"]["type"] == "string"


def test_a_function_that_returns_a_module_is_a_model(write):
    text = '''
def loss(outputs, targets):
    return (outputs - targets) ** 2


def network(inputs, outputs, *, units: int = 8):
    """A network.

    :param units: How wide.
    """
'''
    found = read(write(text))
    assert found.name == "network"
    assert found.has_loss
    assert dict(found.parameters) == {
        "units": {"type": "integer", "default": 8, "description": "How wide."}
    }


def test_of_several_models_the_config_names_one(write):
    path = write(model("a: int = 1", "One") + model("b: int = 1", "Two"))
    assert list(read(path, "Two").parameters) == ["b"]
    assert models.describe(f"{path}:Two").name == "my_model.Two"
    with pytest.raises(StudyError) as refused:
        read(path)
    assert str(refused.value) == (
        f"{path}: defines 2 models; say which: model: {path}:One or model: {path}:Two"
    )
    with pytest.raises(StudyError, match="Tow is not defined there; did you mean 'Two'"):
        read(path, "Tow")


FAULTS = {
    "does not parse": ("class M(\n", r":1: '\(' was never closed"),
    "no model": ("class M(Module):\n    pass\n", ": defines no model: a class"),
    "empty": ("", ": defines no model"),
    "no default": (
        model("units: int"),
        ":2: parameter 'units' of M has no default, from which a study starts; write units: int = ",
    ),
    "no type": (model("units=3"), ":2: parameter 'units' of M has no type; write units: int"),
    "no type nor value": (model("units=None"), ":2: .* has no type; write one of int, float, bool"),
    "a type that is not supported": (
        model("layer: nn.Module | None = None"),
        r":2: parameter 'layer' of M is of type nn.Module \| None; a setting is one of int, float",
    ),
    "words that are none": (model("a: Literal[1, 2] = 1"), ":2: .* is of type Literal"),
    "another default": (
        model("units: int = 0.5"),
        ":2: parameter 'units' of M is int, and its default is 0.5",
    ),
    "truth for a number": (model("units: int = True"), ":2: .* is int, and its default is True"),
    "an unknown word": (model("a: Literal['x'] = 'y'"), ":2: .* and its default is 'y'"),
    "a default that is computed": (
        model("units: int = 2 * UNITS"),
        r":2: .* has the default 2 \* UNITS; write the value itself",
    ),
    "a setting of training": (
        model("learning_rate: float = 0.1"),
        ":2: parameter 'learning_rate' of M is called like a setting of training; give it another",
    ),
    "a column": (model("seed: int = 0"), ":2: .* is called like a column of results"),
    "the text of a column": (model("a_text: int = 0"), ":2: .* do not end in _text"),
    "letters beyond a to z": (model("größe: int = 0"), ":2: .* begin with a letter of a to z"),
    "names that nobody knows": (model("**more"), r":2: M takes \*more, whose names nobody knows"),
    "no text": ("a\0b", "is no Python|source code|null byte"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_file_and_line(write, fault):
    text, message = FAULTS[fault]
    path = write(text)
    with pytest.raises(StudyError, match=message) as refused:
        read(path)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_what_is_no_model_is_told_with_what_there_is(tmp_path):
    with pytest.raises(StudyError, match="'cnm' is neither mlp, cnn nor a Python file"):
        models.describe("cnm")
    with pytest.raises(StudyError, match="nowhere.py: No such file or directory"):
        models.describe(str(tmp_path / "nowhere.py"))


def test_perceptrons_settings_do_not_change_and_another_model_has_its_own(write):
    known = models.describe(str(write(GOOD))).hyperparameters
    of_training = [
        name
        for name in models.MLP.hyperparameters.names
        if name not in ("dropout", "hidden", "activation", "precision")
    ]
    assert [name for name in known.names if name in of_training] == of_training
    own = ["width", "channels", "rates", "rate", "norm", "pooling", "title"]
    start = known.names.index("class_weights") + 1
    assert known.names[start : start + len(own)] == own
    assert len(known.names) == len(of_training) + len(own)


def study(path, **more):
    """The text of a config of a study of the model in `path`."""
    return {
        "model": str(path),
        "experiments": {"channels": {"vary": {"channels": [[4], [8, 16]]}}},
        **more,
    }


def test_its_settings_are_varied_and_checked_like_those_of_training(write):
    path = write(GOOD)
    planned = resolve(config.validated(study(path, baseline={"norm": False}), "config.yaml"))
    assert [value.value for _, value in planned.values] == ["4", "8-16"]
    assert planned.runs[0].settings["norm"] is False
    assert planned.runs[0].run.startswith("my_model.SmallCnn-sgd-lr0.001-")
    assert planned.model.texts["channels"]["what"].startswith("Feature maps")
    again = type(planned).from_json(json.loads(planned.to_json()))
    assert again.to_json() == planned.to_json()
    assert again.hyperparameters.names == planned.hyperparameters.names
    for settings, message in [
        ({"chanels": [1]}, r"baseline: unknown key 'chanels'; did you mean 'channels'"),
        ({"hidden": [1]}, r"baseline: unknown key 'hidden'"),
        ({"channels": 3}, "baseline.channels: must be a list, is 3"),
        ({"channels": [0.5]}, r"baseline.channels\[0\]: must be a whole number, is 0.5"),
        ({"pooling": "min"}, "baseline.pooling: unknown value 'min'"),
        ({"norm": 1}, "baseline.norm: must be true or false, is 1"),
    ]:
        with pytest.raises(StudyError, match=message):
            config.validated(study(path, baseline=settings), "config.yaml")


def test_the_run_s_name_is_that_of_the_file_and_class_wherever_the_file_lies(write, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    here = write(GOOD)
    there = write(GOOD, "elsewhere/my_model.py")
    other = write(GOOD, "another.py")
    names = [
        [run.run for run in resolve(config.validated(study(path), "config.yaml")).runs]
        for path in (here, there, other)
    ]
    assert names[0] == names[1]
    assert not set(names[0]) & set(names[2])


def test_a_file_beside_the_config_is_found(write, tmp_path, monkeypatch):
    write(GOOD)
    path = tmp_path / "config.yaml"
    path.write_text("model: my_model.py\nexperiments: {w: {vary: {width: [1, 2]}}}\n")
    assert config.load([path])["model"] == str(tmp_path / "my_model.py")
    monkeypatch.chdir(tmp_path)
    assert config.load([path])["model"] == "my_model.py"


def test_a_folder_called_like_a_file_of_python_hides_no_model_beside_the_config(write, tmp_path):
    (tmp_path / "nets.pytorch").mkdir()
    write(GOOD, "nets.pytorch/my_model.py")
    path = tmp_path / "config.yaml"
    word = "nets.pytorch/my_model.py:SmallCnn"
    path.write_text(f"model: {word}\nexperiments: {{w: {{vary: {{width: [1, 2]}}}}}}\n")
    assert config.load([path])["model"] == f"{tmp_path}/{word}"


def test_planning_imports_no_torch_and_runs_nothing(write, tmp_path):
    write(GOOD)
    path = tmp_path / "config.yaml"
    path.write_text("model: my_model.py\nexperiments: {w: {vary: {width: [1, 2]}}}\n")
    said = (
        "import sys; from pathlib import Path; from study.spec import config, resolution; "
        "from study.runs import fingerprint; "
        "plan = resolution.resolve(config.load([Path(sys.argv[1])])); "
        "fingerprint.learning('', 'test', model=plan.model); print('torch' in sys.modules)"
    )
    words = [sys.executable, "-c", said, str(path)]
    done = subprocess.run(words, cwd=LIBRARY.parent, text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "False"
