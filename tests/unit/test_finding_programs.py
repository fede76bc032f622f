"""Findings are programs of one form: pinned packages, a temporary folder, an error on change."""

import os
import re
import subprocess

import pytest

from small_study import ROOT

FINDINGS = sorted((ROOT / "findings").glob("*.sh"))


@pytest.mark.parametrize("path", FINDINGS, ids=lambda path: path.stem)
def test_a_finding_is_of_the_form(path):
    text = path.read_text(encoding="utf-8")
    assert os.access(path, os.X_OK)
    subprocess.run(["sh", "-n", path], check=True)
    head, _, program = text.partition("\nset -eu\n")
    [installed] = re.findall(r"pip install .*\\\n +(.*)", program)
    for package in installed.split():
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", package)
    name, version = installed.split()[0].split("==")
    assert f"{name} {version}" in head
    for part in ("Output seen", "What to do"):
        assert part in head
    for part in ("mktemp -d", "behaves otherwise now"):
        assert part in program
    assert "study" not in re.findall(r"^(?:from|import) (\w+)", program, re.M)


def test_the_page_lists_every_finding():
    text = (ROOT / "findings" / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^\| \[(.*?)\]", text, re.M)) == [path.stem for path in FINDINGS]
