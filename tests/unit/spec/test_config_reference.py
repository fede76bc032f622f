"""The reference of the config tells every key, and what stands in docs/ is what the schemas say."""

import re

from study.commands.write_reference import REFERENCE
from study.spec import config_reference
from study.spec.models import MLP
from study.spec.schemas import schema
from study.support import markdown


def test_the_reference_is_up_to_date():
    assert REFERENCE.read_text(encoding="utf-8") == config_reference.text(), "make reference"


def keys(part):
    """Every key that a schema has a description of, however deep."""
    if isinstance(part, dict):
        for key, item in part.get("properties", {}).items():
            yield key
            yield from keys(item)
        for name, item in part.items():
            if name != "properties":
                yield from keys(item)
    elif isinstance(part, list):
        for item in part:
            yield from keys(item)


def test_every_key_is_in_it():
    told = set(re.findall(r"^\| `(\w+)`", config_reference.text(), re.M))
    assert told == {*keys(schema()), *keys(schema("claims"))}
    assert told >= set(MLP.hyperparameters.names)


def test_values_and_defaults_are_told_in_words():
    lines = {
        re.match(r"\| `(\w+)`", line)[1]: [cell.strip() for cell in line.split("|")[2:4]]
        for line in config_reference.text().splitlines()
        if line.startswith("| `")
    }
    assert lines["momentum"] == ["a number at least 0 and below 1", "`0.0`"]
    assert lines["hidden"] == [
        "a list, each a whole number at least 2 and at most 65536",
        "`[128, 64]`",
    ]
    assert lines["device"] == ["`auto`, `cpu`, `cuda`, `mps`", "`auto`"]
    assert lines["final"] == ["[training settings](#training-settings) or `best`", ""]
    assert lines["experiments"] == ["keys, below", "`{}`"]
    assert lines["space"][1] == "required"
    assert lines["nesterov"] == ["`true` or `false`", "`false`"]


def test_its_links_lead_to_its_sections():
    text = config_reference.text()
    anchors = {anchor for *_, anchor in markdown.headings(text)}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
