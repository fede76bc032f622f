"""Each room of the library holds one idea, and its imports go one way."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.runs.fingerprint import LIBRARY

# Room -> the rooms that it may import, besides itself.
FOUNDATIONS = {"support", "data", "spec", "learning", "runs", "statistics", "results", "search"}
MAY_IMPORT = {
    "support": set(),
    "data": {"support"},
    "spec": {"data", "support"},
    "learning": set(),
    "runs": {"learning", "spec", "support"},
    "statistics": set(),
    "results": {"runs", "spec", "statistics", "support"},
    "search": {"data", "results", "spec", "support"},
    "final": {"data", "runs", "spec", "statistics", "support"},
    # What these show, and what they operate on.
    "figures": FOUNDATIONS | {"final"},
    "report": FOUNDATIONS | {"final"},
    "page": FOUNDATIONS | {"final", "report"},
    "operations": FOUNDATIONS | {"final"},
    "exports": {"results", "search", "spec", "support"},
}
# Programs call everything, and nothing calls them.
MAY_IMPORT["commands"] = set(MAY_IMPORT)

MODULES = sorted(path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """All that a file imports, in functions too, as dotted names; a package's names among them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_contributing_shows_this_table():
    text = (LIBRARY.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, table = text.split("| room | may import |")
    rows = re.findall(r"^\| (`.*) \| (.*) \|$", table, re.M)
    told = {
        room: re.findall(r"`(\w+)`", into)
        for rooms, into in rows
        for room in re.findall(r"`(\w+)`", rooms)
    }
    assert {room: set(into) for room, into in told.items()} == MAY_IMPORT


def test_every_module_is_in_a_room():
    assert {path.parts[0] for path in MODULES} == {*MAY_IMPORT, "__init__.py"}
    assert {len(path.parts) for path in MODULES if path.name != "__init__.py"} == {2}


@pytest.mark.parametrize("path", [path for path in MODULES if len(path.parts) == 2], ids=str)
def test_a_room_imports_what_it_may(path):
    room = path.parts[0]
    names = [name.split(".") for name in imported(LIBRARY / path)]
    rooms = {name[1] for name in names if name[0] == "study" and len(name) > 1}
    assert rooms <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("room", ["", *MAY_IMPORT])
def test_a_package_itself_does_nothing(room):
    """It is imported with every module in it, and is part of no fingerprint."""
    path = LIBRARY / room / "__init__.py"
    code = compile(path.read_text(encoding="utf-8"), str(path), "exec")
    assert set(code.co_names) <= {"__doc__"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_the_library_knows_nothing_of_snakemake(path):
    assert "snakemake" not in {name.split(".")[0] for name in imported(LIBRARY / path)}
