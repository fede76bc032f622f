"""The README's commands, config and program are tried as they stand there."""

import os
import re
import shlex
import subprocess
import sys
import time

import pytest
from ruamel.yaml import YAML

from small_study import ROOT, Study

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def commands(program: str) -> list[str]:
    lines = [line for block in blocks("console") for line in block.splitlines()]
    found = [line.removeprefix("$ ").partition("  #")[0].strip() for line in lines]
    return [line for line in found if shlex.split(line)[0] == program]


def test_nothing_in_the_readme_is_left_to_be_filled_in():
    assert "@@" not in README


def test_the_readme_is_read_in_one_sitting():
    assert len(README.splitlines()) < 250


def test_the_readme_has_commands_of_both_kinds():
    assert len(commands("make")) >= 2
    assert len(commands("snakemake")) >= 4


@pytest.mark.parametrize("line", commands("make"))
def test_a_make_command_is_a_target_that_help_lists(line):
    """Run whole by continuous integration (`make test`) and at each release (`make report`)."""
    target = next(word for word in line.split()[1:] if "=" not in word)
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"make {target} " in listed.stdout
    subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, check=True)


@pytest.mark.parametrize("line", commands("snakemake"))
def test_a_snakemake_command_is_accepted(line, tmp_path):
    """As a dry run in an empty folder, with the README's own config where one is named."""
    (tmp_path / "here").mkdir()
    with (tmp_path / "here" / "my.yaml").open("w", encoding="utf-8") as file:
        file.write(next(block for block in blocks("yaml") if "experiments:" in block))
    program, *words = shlex.split(line)
    words = [program, "--dry-run", "--snakefile", str(ROOT / "Snakefile"), *words]
    done = subprocess.run(words, cwd=tmp_path / "here", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^train +\d+", done.stdout + done.stderr, re.M)


def test_the_readmes_program_reads_the_results(finished):
    [program] = [block for block in blocks("python") if "parquet" in block]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=finished.folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "mean" in done.stdout


def test_the_conda_environment_is_in_step_with_the_requirements():
    pinned = set((ROOT / "requirements.txt").read_text(encoding="utf-8").split())
    environment = YAML(typ="safe").load(ROOT / "workflow" / "envs" / "study.yaml")
    packages = environment["dependencies"][-1]["pip"]
    assert set(packages) <= pinned
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-")
    for requirement in pinned:
        assert requirement.lower().replace("_", "-") in constraints.split()


def test_the_pictures_and_files_that_the_readme_names_are_there():
    for path in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / path).exists(), path


def test_make_report_takes_a_config_and_a_profile():
    """Snakemake's --configfile takes several files, and would take the target for one."""
    done = subprocess.run(
        ["make", "-n", "report", "CONFIG=my.yaml", "PROFILE=default", "CORES=3"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("snakemake")]
    words = shlex.split(line)
    assert words[-2:] == ["--", "report"]
    for option, value in {"--configfile": "my.yaml", "--cores": "3"}.items():
        assert words[words.index(option) + 1] == value
    assert words[words.index("--profile") + 1] == "profiles/default"


def test_make_report_tells_a_yaml_error_by_file_and_line(tmp_path):
    """Snakemake's own message, under --configfile, has neither."""
    (tmp_path / "bad.yaml").write_text("seeds: 2\nexperiments: {a\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_plan.py", "--configfile", tmp_path / "bad.yaml"],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == 1
    assert re.match(r"error: .*bad\.yaml, line [23]: not valid YAML", done.stderr)


def test_a_dead_snakemakes_lock_is_cleared_and_a_living_ones_is_not(tmp_path):
    study = Study(tmp_path)
    study.configure()
    study.ok("plan")
    locks = tmp_path / ".snakemake" / "locks"
    unlock = [sys.executable, str(ROOT / "scripts" / "unlock.py"), str(tmp_path)]
    locks.mkdir(exist_ok=True)
    (locks / "0.output.lock").write_text("results/metrics.parquet\n", encoding="utf-8")
    assert "LockException" in study.run("metrics").output
    subprocess.run(unlock, check=True)
    assert not any(locks.glob("*"))

    process = subprocess.Popen(
        study.command("metrics"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not any(locks.glob("*")):
        assert process.poll() is None
        time.sleep(0.02)
    subprocess.run(unlock, check=True)
    assert process.poll() is not None or any(locks.glob("*"))
    assert process.wait() == 0
