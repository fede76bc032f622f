"""A part is made anew unless its receipt holds: of the same plan, from and to the same content."""

import os
from pathlib import Path

import pytest

from study.support import receipts

PLAN = '{"runs": []}'
RESULTS = Path("results")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    RESULTS.mkdir()
    (RESULTS / "metrics").write_text("rows")


def make(content: str = PLAN, summary: str = "means") -> Path:
    """What a program does: it reads the metrics, and writes the summary and its receipt."""
    plan = receipts.plan_file(RESULTS, "summary", content)
    output = RESULTS / "summary"
    receipt = receipts.of_part(RESULTS, "summary")
    with receipts.receipt(receipt, plan, [RESULTS / "metrics"]) as made:
        output.write_text(summary)
        made.append(output)
    return plan


def test_a_part_that_is_as_it_was_made_keeps_its_plan_file():
    plan = make()
    assert plan.read_text() == PLAN
    assert receipts.plan_file(RESULTS, "summary", PLAN) == plan
    # Rewritten with the same content, as Snakemake touches what is made.
    os.utime(RESULTS / "summary", (1, 1))
    os.utime(RESULTS / "metrics", (2, 2))
    assert receipts.plan_file(RESULTS, "summary", PLAN) == plan


@pytest.mark.parametrize("name", ["summary", "metrics"])
@pytest.mark.parametrize("how", ["altered", "other length", "removed", "a folder"])
def test_what_was_read_or_written_and_is_not_as_it_was_gives_a_new_plan_file(name, how):
    plan = make()
    path = RESULTS / name
    content = path.read_text()
    path.unlink()
    if how == "altered":
        path.write_text(content[::-1])
    elif how == "other length":
        path.write_text(content + " ")
    elif how == "a folder":
        path.mkdir()
    other = receipts.plan_file(RESULTS, "summary", PLAN)
    assert other != plan
    assert other.read_text() == PLAN
    told = receipts.read_receipt(receipts.of_part(RESULTS, "summary")).altered()
    assert told == ([str(path)] if name == "summary" and how != "removed" else [])


def test_another_plan_leaves_the_file_that_a_part_was_made_from():
    """A dry run of another config writes its plan beside that of a workflow which is at work."""
    plan = make()
    other = receipts.plan_file(RESULTS, "summary", '{"runs": [1]}')
    assert other != plan
    assert plan.read_text() == PLAN
    assert receipts.plan_file(RESULTS, "summary", PLAN) == plan


def test_a_part_made_for_another_plan_is_made_anew_for_the_first():
    plan = make()
    make('{"runs": [1]}')
    assert receipts.plan_file(RESULTS, "summary", PLAN) not in (plan, None)


def test_a_plan_file_that_is_gone_is_written_again():
    plan = make()
    plan.unlink()
    assert receipts.plan_file(RESULTS, "summary", PLAN) == plan
    assert plan.read_text() == PLAN


@pytest.mark.parametrize("content", ["", "{", "[]", '{"plan": 1}', '{"plan": 1, "inputs": [3]}'])
def test_a_receipt_of_another_form_is_none(content):
    plan = make()
    receipts.of_part(RESULTS, "summary").write_text(content)
    assert receipts.read_receipt(receipts.of_part(RESULTS, "summary")) is None
    assert receipts.plan_file(RESULTS, "summary", PLAN) != plan


def test_a_part_that_failed_has_no_receipt():
    with (
        pytest.raises(RuntimeError),
        receipts.receipt(receipts.of_part(RESULTS, "summary"), Path("plan"), []),
    ):
        raise RuntimeError
    assert receipts.read_receipt(receipts.of_part(RESULTS, "summary")) is None


def test_settling_notes_times_and_removes_plans_of_no_use():
    plan = make()
    unused = receipts.plan_file(RESULTS, "summary", '{"runs": [1]}')
    os.utime(RESULTS / "summary", (1, 1))
    receipts.settle(RESULTS)
    [stamp] = receipts.read_receipt(receipts.of_part(RESULTS, "summary")).outputs.values()
    assert stamp.time == 1_000_000_000
    assert plan.exists()
    assert not unused.exists()


def test_of_stored_results_the_content_names_the_plan_file():
    """Their files come and go here."""
    first, other = (receipts.plan_file(RESULTS, "summary", text, True) for text in (PLAN, "{}"))
    assert first != other
    time = first.stat().st_mtime_ns
    assert receipts.plan_file(RESULTS, "summary", PLAN, stored=True) == first
    assert first.stat().st_mtime_ns == time


def test_settling_launders_nothing():
    plan = make()
    (RESULTS / "summary").write_text("naems")
    receipts.settle(RESULTS)
    assert receipts.plan_file(RESULTS, "summary", PLAN) != plan


def test_without_a_place_for_it_there_is_no_receipt():
    with receipts.receipt(None, Path("plan"), [Path("missing")]) as made:
        made.append(RESULTS / "summary")
    assert not (RESULTS / receipts.RECEIPTS).exists()


@pytest.mark.parametrize("content", ["", PLAN.replace("[]", "[1]"), PLAN[:-1], PLAN + "\n"])
def test_a_plan_file_that_was_altered_is_written_again(content):
    """A program would read it, and make numbers of no configuration."""
    plan = make()
    plan.write_text(content)
    assert receipts.plan_file(RESULTS, "summary", PLAN) == plan
    assert plan.read_text() == PLAN
