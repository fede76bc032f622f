"""The package as it is installed, away from the clone: its files come along."""

import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from small_study import ROOT
from study.runs.fingerprint import LIBRARY, training_code

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
# What the package is built from.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "scripts", "resources", "configs", "workflow")
# Of these, requests and boto3 are pinned.
COME_ALONG = {"urllib3", "botocore"}


def name_of(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution.partition("==")[0]).lower()


def test_every_room_is_in_the_package():
    listed = set(PROJECT["tool"]["setuptools"]["packages"])
    listed -= set(PROJECT["tool"]["setuptools"]["package-dir"])
    rooms = {f"study.{path.parent.name}" for path in LIBRARY.glob("*/__init__.py")}
    assert listed == {"study"} | rooms


def test_it_requires_what_it_imports_in_the_pinned_versions():
    required = PROJECT["project"]["dependencies"]
    assert set(required) <= set((ROOT / "requirements.txt").read_text().split())
    known = packages_distributions()
    imported = set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
    imported -= {"study", *sys.stdlib_module_names}
    # What one export alone needs, and says where it is missing.
    imported -= PROJECT["project"]["optional-dependencies"].keys()
    distributions = {name_of(each) for name in imported for each in known[name]}
    assert distributions - COME_ALONG <= set(map(name_of, required))


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment with the package and, from ours, what it requires; and an empty folder."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name,
                source / name,
                ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
            )
        else:
            shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, source]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)
    [wheel] = folder.glob("*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(packages) / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    install = [*pip, "--python", python, "install", *offline, "--ignore-installed", wheel]
    done = subprocess.run(install, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (folder / "empty").mkdir()
    return environment / "bin", folder / "empty"


@pytest.fixture
def run(installed):
    place, folder = installed
    free = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def run(name: str, *words: object) -> str:
        done = subprocess.run(
            [place / name, *map(str, words)], cwd=folder, env=free, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_command_is_there(run):
    assert "\n  plan " in run("study", "--help")
    assert "--configfile" in run("study", "plan", "--help")


def test_a_study_is_begun_and_planned_without_a_clone(run, installed):
    _, folder = installed
    run("study", "new", "mine")
    run("study", "write-plan", "--configfile", "mine/config.yaml", "--output", "mine/plan.json")
    assert (folder / "mine" / "plan.json").is_file()
    assert "to train" in run("study", "plan", "--configfile", ROOT / "configs" / "quick.yaml")


def test_every_text_template_and_schema_comes_along(run):
    said = (
        "from study.support.resources import CLONE, PACKAGE\n"
        "names = (path.relative_to(PACKAGE) for path in PACKAGE.rglob('*') if path.is_file())\n"
        "names = (name for name in names if name.suffix != '.pyc')\n"
        "models = 'resources/models'\n"
        "names = (name for name in names if name.suffix != '.py' or str(name.parent) == models)\n"
        "print(CLONE, *names, sep='\\n')"
    )
    clone, *names = run("python", "-c", said).splitlines()
    assert clone == "None"
    folders = ("resources", "configs", "workflow/schemas")
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix != ".pyc"]
    assert sorted(names) == sorted(str(path.relative_to(ROOT)) for path in files)


def test_what_it_trains_is_the_clone_s(run):
    said = "from study.runs import fingerprint, provenance\nprint(fingerprint.training_code())"
    assert run("python", "-c", said).strip() == training_code()
