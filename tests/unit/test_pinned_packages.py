"""What `make setup` installs: the versions that are pinned, with the checksums of their files."""

import os
import re
import subprocess

from small_study import ROOT

# What pip freeze leaves out, and what other systems than Linux need.
IN_THE_LOCK_ALONE = {"setuptools", "colorama", "pyreadline3"}


def pinned(file: str) -> dict[str, str]:
    """The version of each package in a file of pip's."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pins}


def test_the_lock_is_in_step_with_what_is_pinned():
    locked = pinned("requirements.lock")
    assert pinned("requirements.txt").items() <= pinned("constraints.txt").items()
    assert pinned("constraints.txt").items() <= locked.items()
    assert locked.keys() - pinned("constraints.txt").keys() == IN_THE_LOCK_ALONE


def test_every_package_in_the_lock_has_checksums():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(pinned("requirements.lock"))
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry) for entry in entries)
    assert "http" not in text


def test_setup_holds_packages_against_their_checksums_unless_told_otherwise():
    assert "--require-hashes -r requirements.lock" in command_of_setup()
    unlocked = command_of_setup("LOCKED=no")
    assert "hashes" not in unlocked
    assert "-r requirements.txt -c constraints.txt" in unlocked


def command_of_setup(*words: str) -> str:
    """How pip would be called, were nothing installed yet."""
    flags = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "LOCKED")
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "setup", *words],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in flags},
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if "pip install" in line]
    return line
