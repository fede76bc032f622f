"""The workflow as a module of another one: `module`, `prefix`, `use rule * … as study_*`."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from small_study import ROOT, STUDY, Study

HOST = f"""
import gc
import os
import sys

from snakemake.shell import shell as before

configfile: "host.yaml"

thresholds, variables, known = gc.get_threshold(), dict(os.environ), dict(config)

rule own:
    output: "own.txt"
    log: "own.log"
    shell: "echo ${{{{SCRIPTS-none}}}} > {{output}}"

module study:
    snakefile: "{ROOT}/workflow/Snakefile"
    config: config["study"]
    prefix: "study"

use rule * from study as study_*

rule all:
    default_target: True
    input:
        rules.study_report.input,
        "own.txt",

onstart:
    assert shell is before
    assert shell._process_prefix is None
    assert gc.get_threshold() == thresholds
    assert (dict(os.environ), config) == (variables, known)
    # Snakemake itself adds the folders of rules.
    assert "{ROOT}/scripts" not in sys.path
"""


class Host(Study):
    """A workflow with a rule of its own, and the study as a module of it."""

    def configure(self, **changes: object) -> dict:
        config = STUDY | changes
        with (self.folder / "host.yaml").open("w", encoding="utf-8") as file:
            YAML().dump({"study": config}, file)
        return config

    def copy(self, folder: Path) -> "Host":
        super().copy(folder)
        return Host(folder)

    def command(self, *words: str) -> list[str]:
        snakefile, folder = self.folder / "Snakefile", self.folder
        command = ["snakemake", "--snakefile", snakefile, "--directory", folder, "--cores", "2"]
        return [*map(str, command), *words]

    @property
    def results(self):
        return self.folder / "study" / "results"


@pytest.fixture(scope="module")
def made_by_host(tmp_path_factory) -> Host:
    host = Host(tmp_path_factory.mktemp("host"))
    (host.folder / "Snakefile").write_text(HOST, encoding="utf-8")
    host.configure(final="best")
    result = host.ok()
    # Before the choice is made, what hangs on it is not known.
    assert result.jobs["study_train"] == 2
    return host


def test_the_study_lies_under_its_prefix_and_nowhere_else(made_by_host):
    assert (made_by_host.results / "report.en.html").is_file()
    assert (made_by_host.results / "config.json").is_file()
    assert not (made_by_host.folder / "results").exists()
    assert not (made_by_host.folder / "study" / "study").exists()


def test_nothing_leaks_into_the_host(made_by_host):
    """Its onstart asserts the rest."""
    assert (made_by_host.folder / "own.txt").read_text() == "none\n"


def test_a_second_call_has_nothing_to_do(made_by_host):
    assert "Nothing to be done" in made_by_host.ok().output


def test_a_change_of_the_hosts_config_is_honoured(made_by_host, tmp_path):
    host = made_by_host.copy(tmp_path / "copy")
    before = host.trained()
    host.configure(experiments={"dropout": {"vary": {"dropout": [0.0, 0.2, 0.4]}}}, final="best")
    assert host.ok().jobs["study_train"] == 1
    assert host.newly_trained(before) == 2 * 2


def test_a_fault_in_the_hosts_config_is_told_with_the_modules_name(made_by_host, tmp_path):
    host = made_by_host.copy(tmp_path / "copy")
    host.configure(epoch=3)
    output = host.run("-n").output
    assert "study: top level: unknown key 'epoch'" in output
    assert "Traceback" not in output


def test_what_stands_in_the_way_is_moved_aside_there_too(made_by_host, tmp_path):
    host = made_by_host.copy(tmp_path / "copy")
    (host.results / "summary.parquet").unlink()
    (host.results / "summary.parquet").mkdir()
    assert "study/results/summary.parquet: was in the way" in host.ok().output
    assert (host.results / "summary.parquet").is_file()


def test_handlers_are_there_for_the_host_to_call(made_by_host, tmp_path):
    host = made_by_host.copy(tmp_path / "copy")
    with (host.folder / "Snakefile").open("a", encoding="utf-8") as file:
        file.write("\nonsuccess:\n    study.onsuccess()\n")
    (host.results / "report.en.html").unlink()
    assert f"report: {host.results}/report.en.html" in host.ok().output
