"""Exactly what changes a result changes its fingerprint."""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from study.runs import equal_code, fingerprint

SCRIPTS = fingerprint.LIBRARY.parent
TRAINING_MODULES = [path.stem for path in fingerprint.training_modules()]
OTHER_MODULES = sorted(
    str(path.relative_to(fingerprint.LIBRARY))
    for path in fingerprint.LIBRARY.rglob("*.py")
    if path not in fingerprint.training_modules()
)


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """A copy of scripts/ that may be edited, and that fingerprints are taken of."""
    copy = tmp_path / "scripts"
    shutil.copytree(SCRIPTS, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "LIBRARY", copy / "study")
    return copy


def edit(path):
    with path.open("ab") as file:
        file.write(b"#")


KINDS = [(model, task) for model in fingerprint.MODELS for task in fingerprint.TASKS]


@pytest.mark.parametrize(("model", "task"), KINDS)
def test_the_training_code_of_a_run_is_all_that_its_training_imports(model, task):
    modules = [*fingerprint.TRAINING, *fingerprint.MODELS[model], fingerprint.TASKS[task]]
    code = (
        f"import sys, {', '.join(f'study.learning.{module}' for module in modules)};"
        "print(*sorted(name for name in sys.modules if name.startswith('study.')))"
    )
    imported = subprocess.run(
        [sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True
    ).stdout.split()
    covered = [path.stem for path in fingerprint.training_modules(model, task)]
    assert imported == ["study.learning", *(f"study.learning.{name}" for name in covered)]


def test_every_module_of_the_room_trains_some_kind_of_run():
    covered = {path for kind in KINDS for path in fingerprint.training_modules(*kind)}
    assert covered == set((fingerprint.LIBRARY / "learning").glob("[!_]*.py"))


@pytest.mark.parametrize("module", TRAINING_MODULES)
def test_one_byte_of_the_training_code_changes_its_digest(scripts, module):
    before = fingerprint.training_code()
    edit(scripts / "study" / "learning" / f"{module}.py")
    assert fingerprint.training_code() != before


def test_code_of_other_models_and_tasks_trains_no_perceptron_anew(scripts):
    before = fingerprint.training_code()
    for path in (scripts / "study" / "learning").glob("[!_]*.py"):
        if path.stem not in TRAINING_MODULES:
            edit(path)
    (scripts / "study" / "learning" / "another.py").write_text("")
    assert fingerprint.training_code() == before


def test_other_code_does_not_change_the_digest_of_the_training_code(scripts):
    before = fingerprint.training_code()
    for module in OTHER_MODULES:
        edit(scripts / "study" / module)
    assert fingerprint.training_code() == before


def test_code_that_trains_the_same_goes_by_the_older_digest(scripts, monkeypatch):
    edit(scripts / "study" / "learning" / "layout.py")
    edited = fingerprint.training_code()
    monkeypatch.setitem(equal_code.SAME, edited, "older")
    assert fingerprint.training_code() == "older"
    edit(scripts / "study" / "learning" / "layout.py")
    assert fingerprint.training_code() not in (edited, "older")


def test_the_syntax_is_without_comments_docstrings_and_layout(scripts):
    before = fingerprint.training_syntax()
    path = scripts / "study" / "learning" / "split.py"
    source = path.read_text()
    path.write_text(source.replace('"""Holding', '"""Just holding') + "\n\n# Another comment.\n")
    assert fingerprint.training_syntax() == before
    path.write_text(source + "SIZE = 1\n")
    assert fingerprint.training_syntax() != before


def test_this_code_trains_what_the_first_release_did():
    """An edit that trains the same bytes is recorded in equal_code.py, with how that was seen."""
    assert fingerprint.training_code() == "bf34fe8bec50db6c"
    assert fingerprint.training_syntax() == "791a5e86d82d340d"


def test_a_copy_elsewhere_has_the_same_digests(scripts):
    here = [fingerprint.training_code(), fingerprint.program(scripts / "draw_experiment.py")]
    fingerprint.LIBRARY = SCRIPTS / "study"
    there = [fingerprint.training_code(), fingerprint.program(SCRIPTS / "draw_experiment.py")]
    assert here == there


def test_learning_depends_on_code_data_and_torch():
    learning = fingerprint.learning("abc", "test")
    assert learning == {
        "code": fingerprint.training_code(),
        "data": learning["data"],
        "torch": importlib.metadata.version("torch"),
    }
    held_out = [{"from": "train", "size": 10, "seed": seed} for seed in (0, 1)]
    others = [("abd", "test"), *(("abc", validation) for validation in held_out)]
    digests = {fingerprint.learning(*other)["data"] for other in others} | {learning["data"]}
    assert len(digests) == 4


def test_the_same_files_with_another_number_of_classes_are_other_data():
    """Entry 9: runs of 4 classes were taken for those of 5."""
    four, five = (fingerprint.learning("abc", "test", outputs) for outputs in (4, 5))
    assert fingerprint.differing(four, five) == ["outputs"]
    assert fingerprint.differing(four, four) == []
    # Of runs of before it was noted, none is trained again.
    before = fingerprint.learning("abc", "test")
    assert fingerprint.differing(before, four) == []
    assert fingerprint.differing(before | {"data": "other"}, four) == ["data"]


def test_fingerprints_do_without_torch():
    code = (
        "import sys; from study.runs import fingerprint; fingerprint.learning('', 'test');"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=True)


@pytest.fixture
def program(scripts):
    """A program that imports one module by each form, and another one behind these."""
    room = scripts / "study" / "room"
    room.mkdir()
    (room / "far.py").write_text("from study.room import nothing_more\n")
    (room / "nothing_more.py").write_text("import math\n")
    (room / "near.py").write_text("def late():\n    import study.room.far\n")
    (room / "beside.py").write_text(
        "from study.room.near import late\nfrom study.room import beside\n"
    )
    (room / "unused.py").write_text("")
    path = scripts / "program.py"
    path.write_text("import os.path\nfrom study.room.beside import late as later\n")
    return path


@pytest.mark.parametrize("module", ["beside", "near", "far", "nothing_more"])
def test_a_program_depends_on_modules_that_it_imports_and_those_behind(scripts, program, module):
    before = fingerprint.program(program)
    edit(scripts / "study" / "room" / f"{module}.py")
    assert fingerprint.program(program) != before


@pytest.mark.parametrize(
    "source",
    [
        "import os, study.room.far\n",
        "from study.room import (  # here\n    far,  # and there\n)\n",
        "from study.room import far  # here\n",
        "from study.room \\\n    import far\n",
        "import study.room.far as other; import os\n",
        "if True: from study.room.far import late\n",
        "class Late:\n    def late(self):\n\tfrom study.room import (far as\n        other)\n",
    ],
)
def test_a_module_is_found_however_its_import_is_written(scripts, program, source):
    program.write_text(source)
    before = fingerprint.program(program)
    edit(scripts / "study" / "room" / "far.py")
    assert fingerprint.program(program) != before


def test_imports_are_those_of_the_syntax_tree():
    for path in SCRIPTS.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        by_syntax = fingerprint._imported_by_syntax(source)
        assert set(fingerprint._imported(source)) == set(by_syntax), path


def test_a_program_depends_on_itself_and_its_resources_and_nothing_else(scripts, program):
    resource = scripts / "words.yaml"
    resource.write_text("a: b")
    before = fingerprint.program(program, resource)
    assert fingerprint.program(program) != before
    for unused in ("study/room/unused.py", "study/learning/trainer.py", "draw_experiment.py"):
        edit(scripts / unused)
    assert fingerprint.program(program, resource) == before
    edit(resource)
    with_resource = fingerprint.program(program, resource)
    assert with_resource != before
    edit(program)
    assert fingerprint.program(program, resource) != with_resource


def test_the_order_of_resources_does_not_matter(scripts, program):
    resources = [scripts / "a.yaml", scripts / "b.yaml"]
    for number, resource in enumerate(resources):
        resource.write_text(str(number))
    assert fingerprint.program(program, *resources) == fingerprint.program(
        program, *reversed(resources)
    )


def test_a_program_named_by_a_relative_path_is_the_same(program, monkeypatch):
    monkeypatch.chdir(program.parent)
    assert fingerprint.program(Path("program.py")) == fingerprint.program(program)


def test_drawing_depends_on_figures_and_not_on_training(scripts):
    """DESIGN's table: an edited figure module draws, and trains nothing."""
    drawing = scripts / "draw_experiment.py"
    before = fingerprint.program(drawing)
    for module in TRAINING_MODULES:
        edit(scripts / "study" / "learning" / f"{module}.py")
    assert fingerprint.program(drawing) == before
    edit(scripts / "study" / "figures" / "drawing.py")
    assert fingerprint.program(drawing) != before
