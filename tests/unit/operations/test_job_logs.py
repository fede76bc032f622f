"""A job that failed is named, with what its program said; one that did not is not."""

import os
import re

import pytest

from finished import planned
from small_study import ROOT
from study.data import datasets
from study.operations import job_logs
from study.operations.job_logs import FailedJob

TRACEBACK = """\
Traceback (most recent call last):
  File "draw.py", line 3, in <module>
ValueError: Key backend: 'module://x' is not a valid value
"""


# A study with every kind of job.
WITH_ALL = {
    "data": {"validation": {"from": "train", "size": 10}},
    "search": {"tuned": {"space": {"dropout": [0.0, 0.5]}, "trials": 2}},
    "final": "best",
}


def in_logs(tmp_path, name, text):
    path = tmp_path / "logs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_every_rule_s_log_is_known(tmp_path):
    """Of a new rule status must know too; training tells by itself."""
    plan = planned(**WITH_ALL)
    # Of the runs, only those that were refused have one.
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / f"refuse_run.{plan.runs[0].run}.log").touch()
    known = {job.log.relative_to(tmp_path).as_posix() for job in job_logs.jobs(plan, tmp_path)}
    wanted = set()
    for rules in (ROOT / "workflow" / "rules").glob("*.smk"):
        for log in re.findall(r'^    log:\n +f?"(.*?)"', rules.read_text(), re.M):
            # Those of a run, and of a trial.
            if "train.log" not in log and "{step}/{run}.log" not in log:
                wanted.add(
                    log.replace("{DATA}", f"results/data/{datasets.describe(plan.dataset).name}")
                    .replace("{experiment}", plan.experiments[0].name)
                    .replace("{language}", plan.languages[0])
                    .replace("{run}", plan.runs[0].run)
                    .replace("{search}", "tuned")
                    .replace("{step}", "trials-0001")
                    .removeprefix("results/")
                )
    assert wanted
    assert wanted <= known


def test_a_failed_figure_is_named_with_the_last_line_of_its_log(tmp_path):
    plan = planned()
    name = plan.experiments[0].name
    log = in_logs(tmp_path, f"draw_experiment.{name}.log", "a warning\n" + TRACEBACK)
    [failed] = job_logs.failed(plan, tmp_path)
    message = "ValueError: Key backend: 'module://x' is not a valid value"
    assert failed == FailedJob(f"draw_experiment ({name})", log, message)


def test_a_message_for_people_is_told_whole(tmp_path):
    text = "Fashion: not from x\nerror: no source has it:\n  x: no\nPut it into a folder.\n"
    in_logs(tmp_path, "summarise.log", text)
    [failed] = job_logs.failed(planned(), tmp_path)
    assert failed.message == "no source has it:\n  x: no\nPut it into a folder."


@pytest.mark.parametrize("text", ["", "a warning\n", TRACEBACK])
def test_a_job_whose_output_is_there_did_not_fail(tmp_path, text):
    in_logs(tmp_path, "summarise.log", text)
    (tmp_path / "summary.parquet").touch()
    assert job_logs.failed(planned(), tmp_path) == []


def test_a_job_that_was_killed_left_an_empty_log_and_no_receipt(tmp_path):
    results = tmp_path / "results"
    (results / "receipts").mkdir(parents=True)
    log = in_logs(results, "summarise.log", "")
    [failed] = job_logs.failed(planned(), results)
    assert failed == FailedJob("summarise", log, job_logs.KILLED)
    # As it was made once before.
    receipt = results / "receipts" / "summary.json"
    receipt.touch()
    os.utime(receipt, (0, 0))
    assert [job.name for job in job_logs.failed(planned(), results)] == ["summarise"]


def test_a_job_that_made_what_somebody_removed_was_not_killed(tmp_path):
    results = tmp_path / "results"
    (results / "receipts").mkdir(parents=True)
    in_logs(results, "summarise.log", "")
    (results / "receipts" / "summary.json").touch()
    assert job_logs.failed(planned(), results) == []


def test_while_snakemake_is_at_work_an_empty_log_tells_nothing(tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    in_logs(results, "summarise.log", "")
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").touch()
    assert job_logs.failed(planned(), results) == []


def test_every_rule_s_receipt_is_known(tmp_path):
    plan = planned(**WITH_ALL)
    known = {job.receipt.stem for job in job_logs.jobs(plan, tmp_path) if job.receipt}
    wanted = set()
    for rules in (ROOT / "workflow" / "rules").glob("*.smk"):
        for part in re.findall(r'plan_of\(\s*"(.*?)"', rules.read_text()):
            wanted.add(
                part.replace("{experiment}", plan.experiments[0].name)
                .replace("{language}", plan.languages[0])
                .replace("{search}", "tuned")
                .replace("{step}", "trials-0001")
            )
    assert wanted
    assert wanted <= known


@pytest.mark.parametrize("text", ["a warning\n"])
def test_a_log_without_an_error_tells_of_no_failure(tmp_path, text):
    in_logs(tmp_path, "summarise.log", text)
    assert job_logs.failed(planned(), tmp_path) == []
