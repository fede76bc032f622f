"""Options of Snakemake that do not do what one would think: docs/clusters.md has the table.

Where one of these fails after an upgrade, the table is out of date.
"""

import re
import subprocess

import pytest

from small_study import Study

EIGHT = {"dropout": {"vary": {"dropout": [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]}}}


@pytest.fixture(scope="module")
def planned(tmp_path_factory) -> Study:
    study = Study(tmp_path_factory.mktemp("options"))
    study.configure(experiments=EIGHT)
    return study


def of_training(study: Study, *words: str) -> tuple[int, str, str]:
    """The trainings that are planned, their seeds and their memory."""
    result = study.ok("--dry-run", "--printshellcmds", *words)
    [seeds] = set(re.findall(r"--seeds ([\d ]+?) --", result.output))
    [memory] = set(re.findall(r"resources: .*gpu=.*\bmem_mb=(\d+)", result.output))
    return result.jobs["train"], seeds, memory


def test_of_two_configs_the_last_alone_counts(planned):
    twice = of_training(planned, "--config", "seeds=1", "--config", "device=auto", "--", "metrics")
    once = of_training(planned, "--config", "seeds=1", "device=auto", "--", "metrics")
    assert (twice[1], once[1]) == ("0 1", "0")


def test_a_batch_of_metrics_is_one_of_trainings_only_for_that_target(planned):
    batch = ["--batch", "collect_metrics=1/4", "--"]
    assert of_training(planned, *batch, "report")[0] == 8
    assert of_training(planned, *batch, "metrics")[0] == 2


def test_memory_that_is_set_is_that_of_each_job(planned):
    assert int(of_training(planned, "metrics")[2]) > 1000
    assert of_training(planned, "--resources", "mem_mb=300", "--", "metrics")[2] == "300"
    assert of_training(planned, "--set-resources", "train:mem=2GB", "--", "metrics")[2] == "2000"


FAILING = """
rule fails:
    output: "never"
    retries: 2
    resources: mem_mb=lambda wildcards, attempt: attempt * 1000
    shell: "echo {resources.mem_mb} >> asked; exit 1"
"""


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ([], ["1000", "2000", "3000"]),
        (["--resources", "mem_mb=1500"], ["1000", "1500", "1500"]),
        (["--set-resources", "fails:mem=2GB"], ["2000", "2000", "2000"]),
        (["--set-resources", "fails:mem_mb=attempt*500"], ["500", "1000", "1500"]),
    ],
)
def test_how_memory_grows_by_attempt(tmp_path, words, asked):
    (tmp_path / "Snakefile").write_text(FAILING)
    command = ["snakemake", "--cores", "1", *words, "--", "fails"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
    assert (tmp_path / "asked").read_text().split() == asked
