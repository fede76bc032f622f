"""The images have what .venv has; none is built here: that takes an engine and a registry."""

import re
import subprocess
import sys

from ruamel.yaml import YAML

from small_study import ROOT

FILES = {"requirements.lock"}


def text_of(name: str) -> str:
    """A definition without its comments, each command in one line."""
    lines = (ROOT / "containers" / name).read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("#"))
    return re.sub(r"\\\n\s*", "", code)


def commands(name: str) -> list[str]:
    pattern = r"^(?:RUN | +)((?:apt-get|pip) .*)$"
    return re.findall(pattern, text_of(name), re.M)


def test_both_images_are_made_by_the_same_commands():
    assert len(commands("Dockerfile")) == 2
    assert commands("Dockerfile") == commands("study.def")


def test_they_begin_with_the_python_of_the_conda_environment():
    environment = YAML(typ="safe").load(ROOT / "workflow" / "envs" / "study.yaml")
    [python] = [item for item in environment["dependencies"] if str(item).startswith("python=")]
    image = f"python:{python.removeprefix('python=')}-slim"
    assert re.findall(r"^FROM (.*)$", text_of("Dockerfile"), re.M) == [image]
    assert re.findall(r"^From: (.*)$", text_of("study.def"), re.M) == [image]


def test_the_files_that_they_install_from_are_copied_and_there():
    copied = re.search(r"^COPY (.*) /opt/study/$", text_of("Dockerfile"), re.M)
    assert set(copied[1].split()) == FILES
    assert dict(re.findall(r"^ +(\S+) (/opt/study/\S+)$", text_of("study.def"), re.M)) == {
        name: f"/opt/study/{name}" for name in FILES
    }
    assert all((ROOT / name).is_file() for name in FILES)


def test_what_they_install_is_what_is_installed_here():
    """Their own command finds nothing to install, with no index to find anything in."""
    words = commands("Dockerfile")[-1].replace("/opt/study/", "").split()
    assert words[:2] == ["pip", "install"]
    command = [sys.executable, "-m", *words, "--dry-run", "--no-index"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would install" not in done.stdout
