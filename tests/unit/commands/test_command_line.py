"""One command for all programs, each of which has a door in scripts/ too."""

import argparse
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from study.commands import command_line
from study.commands.command_line import COMMANDS
from study.runs import fingerprint

SCRIPTS = fingerprint.LIBRARY.parent
# What commands share.
SHARED = {"__init__", "command_line", "door", "options"}


def study(*words: str, interpreter: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """`study` with these words, as a process of its own."""
    return subprocess.run(
        [sys.executable, *interpreter, "-m", "study.commands.command_line", *words],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )


def test_every_command_has_a_word_and_a_door():
    modules = {path.stem for path in (fingerprint.LIBRARY / "commands").glob("*.py")} - SHARED
    assert sorted(COMMANDS.values()) == sorted(modules)
    assert {path.stem for path in SCRIPTS.glob("*.py")} == modules


@pytest.mark.parametrize("name", COMMANDS.values())
def test_a_door_leads_to_its_command_alone(name):
    """A rule's digest follows from there: other commands are none of its business."""
    imports, call = filter(None, (SCRIPTS / f"{name}.py").read_text().splitlines())
    modules = imports.removeprefix("from study.commands import ").split(", ")
    assert sorted(modules) == sorted(["door", name])
    assert call == f"door.enter({name})"


@pytest.mark.parametrize("word", COMMANDS)
def test_every_command_has_help(word):
    command = import_module(f"study.commands.{COMMANDS[word]}")
    parser = argparse.ArgumentParser(word)
    command.add_arguments(parser)
    assert parser.format_help().startswith(f"usage: {word} ")
    assert command.__doc__.partition("\n\n")[0].replace("\n", " ").endswith(".")


def test_help_lists_every_command_and_what_it_does(capsys):
    command_line.main(["--help"])
    told = capsys.readouterr().out
    for word, module in COMMANDS.items():
        assert f"\n  {word} " in told
        documentation = import_module(f"study.commands.{module}").__doc__
        assert " ".join(documentation.partition("\n\n")[0].split()) in " ".join(told.split())
    command_line.main([])
    assert capsys.readouterr().out == told


@pytest.mark.parametrize(
    ("words", "heavy"),
    [
        (["--help"], {"numpy", "ruamel", "jsonschema"}),
        (["plan", "--help"], {"pandas", "sklearn"}),
    ],
)
def test_help_waits_for_no_heavy_library(words, heavy):
    done = study(*words, interpreter=("-X", "importtime"))
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "study.commands.door" in imported
    assert not imported & (heavy | {"torch", "matplotlib", "scipy", "snakemake"})


@pytest.mark.parametrize(
    ("word", "told"),
    [("pln", "did you mean 'plan'?"), ("\x1b[2J", r"'\x1b[2J'; see study --help")],
)
def test_an_unknown_command_is_told_in_a_line(word, told):
    done = study(word)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert told in done.stderr


def test_a_command_s_words_are_its_own(tmp_path):
    done = study("write-plan", "--output", str(tmp_path / "plan.json"))
    assert done.returncode == 2
    assert done.stderr.startswith("usage: study write-plan ")


def test_an_error_is_told_in_a_line(tmp_path):
    done = study("new", str(tmp_path))
    assert (done.returncode, (tmp_path / "config.yaml").exists()) == (0, True)
    done = study("new", str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"error: {Path(tmp_path) / 'config.yaml'}: is there already")
