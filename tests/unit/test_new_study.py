"""A study of one's own begins with a config that is right, and nobody's config is written over."""

import re
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from study.commands import door, new_study
from study.spec import config
from study.spec.resolution import resolve

CONFIGS = new_study.TEMPLATE.parent


@pytest.fixture
def begin(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(word):
        monkeypatch.setattr(sys, "argv", ["new_study.py", word])
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


def test_what_the_template_leaves_commented_is_right_too():
    """Each commented part, put in: a user only takes the signs away."""
    text = (CONFIGS / "template.yaml").read_text(encoding="utf-8")
    parts = re.sub(r"^(\s*)# ((?:  )*(?:- |[a-z_]+:).*)$", r"\1\2", text, flags=re.M)
    content = YAML(typ="safe").load(parts)
    assert set(content["experiments"]) == {"activation", "decay", "rate_and_batch"}
    resolved = resolve(config.validated(content, "template.yaml"))
    assert [claim["id"] for claim in resolved.claims] == ["relu-is-enough"]


def test_the_quick_study_is_small():
    resolved = resolve(config.load([CONFIGS / "quick.yaml"]))
    assert resolved.seeds == [0]
    assert sum(run.epochs for run in resolved.runs) <= 12
    assert resolved.final is not None
    assert len(resolved.experiments) >= 2
