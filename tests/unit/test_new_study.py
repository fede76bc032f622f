"""A study of one's own begins with a config that is right, and nobody's config is written over."""

import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from ruamel.yaml import YAML

from study.commands import door, new_study
from study.data.datasets import describe, named
from study.spec import config, data_fit
from study.spec.models import source
from study.spec.resolution import resolve
from study.support.resources import resource

CONFIGS = new_study.TEMPLATE.parent
EXAMPLE = resource("examples/my_model.py")


@pytest.fixture
def begin(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["new_study.py", *words])
        door.enter(new_study)
        return capsys.readouterr().out

    return run


def test_the_new_study_is_there_with_the_next_commands(begin):
    told = begin("my-study")
    resolved = resolve(config.load([Path("my-study/config.yaml")]))
    assert resolved.chooses_final
    assert len(resolved.runs) == 3
    assert "make plan FOLDER=my-study" in told
    assert "make report FOLDER=my-study" in told
    assert "/results/" in Path("my-study/.gitignore").read_text(encoding="utf-8").split()


def test_a_config_that_is_there_stays(begin):
    begin("my-study")
    Path("my-study/config.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"my-study/config.yaml: is there already.*make report"):
        begin("my-study")
    assert Path("my-study/config.yaml").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("word", ["", "."])
def test_a_folder_must_be_named(begin, word):
    with pytest.raises(SystemExit, match="make new-study NAME=my-study"):
        begin(word)
    assert list(Path().iterdir()) == []


def uncommented(text):
    """With each commented part put in: a user only takes the signs away."""
    return re.sub(r"^(\s*)# ((?:  )*(?:- |\w+:).*)$", r"\1\2", text, flags=re.M)


def study_in(folder, monkeypatch):
    """The study that a new folder's config makes, as make report has it: from that folder."""
    monkeypatch.chdir(folder)
    source.cache_clear()
    return resolve(config.load([Path("config.yaml")]))


MODEL = EXAMPLE.read_text(encoding="utf-8")


def test_a_model_s_file_gives_its_settings_with_defaults_and_texts(begin, tmp_path, monkeypatch):
    (tmp_path / "my_model.py").write_text(MODEL)
    begin("my-study", "--model", "my_model.py:SmallCnn")
    text = Path("my-study/config.yaml").read_text(encoding="utf-8")
    assert "\nmodel: ../my_model.py:SmallCnn\n" in text
    assert "  # channels: [16, 32]  # Feature maps of each convolution.\n" in text
    content = YAML(typ="safe").load(uncommented(text))
    assert content["baseline"]["dropout"] == 0.0
    assert content["experiments"]["channels"] == {"vary": {"channels": [[16, 32], [32, 64]]}}
    study = study_in("my-study", monkeypatch)
    assert study.model.name == "my_model.SmallCnn"
    assert len(study.runs) == 2
    Path("config.yaml").write_text(uncommented(text), encoding="utf-8")
    assert study_in(".", monkeypatch).chooses_final


PARAMETERS = {
    "": {"learning_rate": [0.0003, 0.001, 0.003]},
    ", word: str = 'a'": {"learning_rate": [0.0003, 0.001, 0.003]},
    ", units: int = 8, norm: bool = True": {"norm": [True, False]},
    ", units: int = 8": {"units": [8, 16]},
    ", final_rate: float = 0.0, units: int = 8": {"final_rate": [0.0, 0.1]},
    ", way: Literal['a: b', 'c'] = 'c'": {"way": ["c", "a: b"]},
}


@pytest.mark.parametrize("parameters", PARAMETERS)
def test_one_experiment_is_over_a_setting_of_the_model(parameters, begin, tmp_path, monkeypatch):
    text = f'def net(inputs, outputs{parameters}):\n    """A network."""\n'
    (tmp_path / "net.py").write_text(text)
    begin("my-study", "--model", "net.py")
    found = YAML(typ="safe").load(Path("my-study/config.yaml").read_text())["experiments"]
    assert [each["vary"] for each in found.values()] == [PARAMETERS[parameters]]
    study_in("my-study", monkeypatch)


@pytest.fixture
def files(tmp_path):
    """Small data in every form, in the current folder."""
    random = np.random.default_rng(0)
    wine = pd.DataFrame({"acid": random.normal(size=60), "quality": [3, 5] * 30})
    wine.to_parquet(tmp_path / "wine.parquet")
    wine.loc[3, "acid"] = None
    wine.to_csv(tmp_path / "wine.csv", index=False)
    images = {"x_train": random.integers(0, 256, (40, 9, 7)), "y_train": [0, 1] * 20}
    np.savez(tmp_path / "mine.npz", **images)
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n\n\ndef load():\n"
        "    return [np.load('mine.npz')[name] for name in ('x_train', 'y_train')]\n"
    )
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(10):
            pixels = random.integers(0, 256, (9, 7, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")


FORMS = {
    "wine.csv": {"table": "../wine.csv", "target": "quality", "missing": "mean"},
    "wine.parquet": {"table": "../wine.parquet", "target": "quality"},
    "mine.npz": {"arrays": "../mine.npz"},
    "mine.py": {"python": "../mine.py", "examples": "images"},
    "photos": {"images": "../photos", "size": [32, 32]},
}


@pytest.mark.parametrize("name", FORMS)
def test_data_in_any_form_give_a_config_that_fits(name, begin, files, monkeypatch, tmp_path):
    words = ["--target", "quality"] if "wine" in name else ["--model", "cnn"]
    told = begin("my-study", "--data", name, *words)
    assert " training and " in told
    study = study_in("my-study", monkeypatch)
    content = config.load([Path("config.yaml")])
    assert content["data"]["dataset"] == FORMS[name]
    assert content["data"]["test"] == {"size": 0.2, "seed": 0}
    dataset = describe(named(content["data"]))
    # load() of mine.py reads what lies in the current folder.
    (tmp_path / "my-study/mine.npz").write_bytes((tmp_path / "mine.npz").read_bytes())
    dataset.fetch(tmp_path / "there", [], print)
    data_fit.check_files(study, dataset, tmp_path / "there")
    assert study.validation["size"] == len(dataset.load(tmp_path / "there").train) // 5


@pytest.mark.parametrize("model", [[], ["--model", "net.py"]])
def test_a_table_of_quantities_gives_a_config_that_fits(model, begin, tmp_path, monkeypatch):
    """Its model is tried on quantities, and its claims would be about R\u00b2."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "net.py").write_text(
        "from torch import nn\n\ndef net(inputs, outputs, units: int = 4):\n"
        '    """A network."""\n    assert outputs == 1\n'
        "    return nn.Sequential(nn.Linear(inputs[0], units), nn.Linear(units, outputs))\n"
    )
    told = begin("my-study", "--data", "t.csv", "--target", "c", *model)
    assert "to predict c" in told
    assert "claims:" not in Path("my-study/config.yaml").read_text(encoding="utf-8")
    study = study_in("my-study", monkeypatch)
    assert describe(study.dataset).task == "regression"


@pytest.mark.parametrize(
    ("word", "dataset", "held_out"),
    [
        ("FashionMNIST", "FashionMNIST", 10_000),
        ("USPS", {"torchvision": "USPS"}, 1000),
        ("EMNIST-letters", {"torchvision": "EMNIST", "split": "letters"}, 10_000),
    ],
)
def test_data_that_have_a_name_are_not_read(word, dataset, held_out, begin, monkeypatch):
    begin("my-study", "--data", word)
    study = study_in("my-study", monkeypatch)
    assert config.load([Path("config.yaml")])["data"]["dataset"] == dataset
    assert study.validation["size"] == held_out


WRONG = {
    "--data wine.csv": "DATA=wine.csv: say which column .* TARGET=name; it has acid, quality",
    "--data wine.csv --target qualty": "has no column 'qualty'; did you mean 'quality'",
    "--data none.csv": "DATA=none.csv: no such file",
    "--data KMNISt": "DATA=KMNISt: is no folder of pictures.*did you mean 'KMNIST'",
    "--data EMNIST": "DATA=EMNIST: has parts; say which",
    "--data EMNIST-x": "data.dataset.split: EMNIST has",
    "--data photos --target quality": "TARGET=quality: is the column of a table, and DATA=photos",
    "--target quality": "TARGET=quality: is the column of a table; say which",
    "--data wine.csv --target quality --model cnn": "cnn.py:[0-9]+: ValueError: not enough values",
    "--data wine.csv --target acid": "examples have no target",
    "--model cnm": "model: 'cnm' is neither mlp, cnn nor a Python file",
    "--model none.py": "none.py: No such file or directory",
}


@pytest.mark.parametrize("words", WRONG)
def test_what_does_not_fit_is_one_message_and_leaves_nothing(words, begin, files):
    with pytest.raises(SystemExit, match=WRONG[words]) as ended:
        begin("my-study", *words.split())
    assert "\n" not in str(ended.value)
    assert not Path("my-study").exists()


def test_what_the_template_leaves_commented_is_right_too():
    text = (CONFIGS / "template.yaml").read_text(encoding="utf-8")
    content = YAML(typ="safe").load(uncommented(text))
    assert set(content["experiments"]) == {"activation", "decay", "rate_and_batch"}
    resolved = resolve(config.validated(content, "template.yaml"))
    assert [claim["id"] for claim in resolved.claims] == ["relu-is-enough"]


def test_the_quick_study_is_small():
    resolved = resolve(config.load([CONFIGS / "quick.yaml"]))
    assert resolved.seeds == [0]
    assert sum(run.epochs for run in resolved.runs) <= 12
    assert resolved.final is not None
    assert len(resolved.experiments) >= 2
