"""docs/model.md, its example and the study of a convolutional network can be used as they stand."""

import itertools
import re
import sys

import pytest
import torch
from ruamel.yaml import YAML
from safetensors.numpy import save_file

import own_models
from examples import random_images
from study.data.scaling import PIXELS
from study.learning.classification import Classification
from study.runs import model_loading, models
from study.spec import config
from study.spec.models import describe, source
from study.spec.resolution import resolve
from study.support.errors import StudyError
from study.support.resources import resource

PAGE = resource("docs/model.md").read_text(encoding="utf-8")
EXAMPLE = resource("examples/my_model.py").read_text(encoding="utf-8")
CNN = resource("configs/cnn.yaml")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)


FILE, LOSS, TAKEN_AWAY = blocks("python")
[STUDY] = blocks("yaml")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, whose files are found anew."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    source.cache_clear()
    yield tmp_path
    source.cache_clear()


@pytest.mark.parametrize(
    "text", [FILE, EXAMPLE, f"{FILE}\n\n{LOSS}"], ids=["page", "example", "own loss"]
)
def test_the_file_is_a_model_that_the_study_takes_and_that_learns(text, folder):
    path = folder / "my_model.py"
    path.write_text(text)
    study = resolve(config.validated(YAML(typ="safe").load(STUDY), "page"))
    assert len(study.runs) == 3
    settings = own_models.settings_of(path, channels=[3, 4], batch_size=16)
    run = own_models.run_of(path, settings)
    told = source(str(path))
    assert told.has_loss == ("def loss" in text)
    model_loading.check(told, run.architecture, run.objective, run.train.first(2), "cpu")
    trainer = run.trainer([0])
    losses = [trainer.train_epoch(run.train)["loss"][0] for _ in range(5)]
    assert losses[-1] < losses[0]


def test_the_model_to_take_away_goes_into_the_file_s_class(folder, monkeypatch):
    """With the program that the page shows."""
    (folder / "my_model.py").write_text(FILE)
    settings = own_models.settings_of(folder / "my_model.py", dropout=0.2)
    made = models.architecture(describe("my_model.py"), settings, (1, 28, 28), 10, PIXELS)
    built = made.build([0], "cpu")
    tensors = made.layers({"parameters": built.parameters[0].numpy()})
    (folder / "results/model").mkdir(parents=True)
    save_file(
        {f"seed_0.{name}": tensor.copy() for name, tensor in tensors.items()},
        folder / "results/model/model.safetensors",
    )
    monkeypatch.syspath_prepend(folder)
    found = {}
    try:
        exec(TAKEN_AWAY, found)
    finally:
        sys.modules.pop("my_model", None)
    expected = built.forward(torch.zeros(1, 1, 28 * 28))[0]
    torch.testing.assert_close(found["scores"], expected)


def net(parameters="", features=12, outputs="outputs", forward="self.linear(x.flatten(1))"):
    """A model's file with a fault, where something else is given."""
    return f"""\
import random

from torch import nn


class Net(nn.Module):
    def __init__(self, inputs, outputs{parameters}):
        super().__init__()
        self.linear = nn.Linear({features}, {outputs})

    def forward(self, x):
        return {forward}
"""


FAULTS = [
    net(", units: int"),
    net(", units=1"),
    net(", epochs: int = 1"),
    net(outputs="3"),
    net(features=5, outputs="4"),
    net(forward="self.linear(x.flatten(1)) * random.random()"),
]


def tried():
    """What a job makes of the model before it trains."""
    settings = own_models.settings_of("my_model.py")
    made = models.architecture(describe("my_model.py"), settings, (1, 2, 6), 4, PIXELS)
    model_loading.check(source("my_model.py"), made, Classification(4), random_images(2), "cpu")


@pytest.mark.parametrize("number", range(len(FAULTS)))
def test_faults_are_told_as_the_page_says(number, folder):
    (folder / "my_model.py").write_text(FAULTS[number])
    with pytest.raises(StudyError) as told:
        tried()
    shown = [line for block in blocks("text") for line in block.splitlines()]
    assert str(told.value) == shown[number]
    assert len(shown) == len(FAULTS)


@pytest.fixture(scope="module")
def cnn():
    return resolve(config.load([CNN]))


def test_the_study_of_a_cnn_chooses_on_images_held_out_of_training(cnn):
    assert cnn.validation == {"from": "train", "size": 10000, "seed": 0}
    assert cnn.chooses_final
    assert cnn.model.name == "cnn"
    assert {run.epochs for run in cnn.runs} == {20}


def test_its_final_network_has_less_than_100_000_parameters_whatever_is_chosen(cnn):
    varied = config.load([CNN])["experiments"].values()
    values = [
        [(name, value) for name, [*found] in each["vary"].items() for value in found]
        for each in varied
    ]
    for chosen in itertools.product(*values):
        settings = cnn.runs[0].settings | dict(chosen)
        made = models.architecture(cnn.model, settings, (1, 28, 28), 10, PIXELS)
        assert made.parameters < 100_000, chosen
