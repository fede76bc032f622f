"""Runs that share jobs: none is left out, jobs are as few as their minutes allow, and even."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.operations import jobs, packing
from study.operations.plan_table import OVERHEAD, TimeEstimate
from study.runs.completeness import Completeness
from study.spec.models import MLP
from study.spec.plan import Run


def run(name: str, epochs: int = 10, **settings) -> Run:
    return Run(name, MLP.hyperparameters.complete(settings), epochs, [0, 1])


def open_epochs(found: Run) -> Completeness:
    return Completeness(("new",), found.epochs * len(found.seeds))


@given(
    st.dictionaries(st.text(min_size=1), st.floats(0.1, 1e5), min_size=1, max_size=60),
    st.floats(1, 1e5),
)
def test_every_run_is_in_one_job_and_jobs_are_even(seconds, most):
    divided = packing.divide(seconds, most)
    assert sorted(name for names in divided for name in names) == sorted(seconds)
    assert len(divided) == min(len(seconds), math.ceil(sum(seconds.values()) / most))
    longest = max(sum(seconds[name] for name in names) for names in divided)
    assert longest <= sum(seconds.values()) / len(divided) + max(seconds.values()) + 1e-6


def test_equal_runs_are_divided_evenly():
    divided = packing.divide({f"run{number}": 60.0 for number in range(200)}, 20 * 60)
    assert [len(names) for names in divided] == [20] * 10


@given(st.lists(st.floats(0, 1e4), max_size=60))
def test_whole_parts_add_up(parts):
    whole = packing.whole_parts(parts)
    assert all(isinstance(part, int) and part >= 0 for part in whole)
    assert sum(parts) - 1e-6 <= sum(whole) < sum(parts) + 1


def test_the_time_limit_of_a_shared_job_is_that_of_its_runs_with_one_margin(tmp_path):
    runs = [run(f"run{number}") for number in range(30)]
    found = packing.shares(runs, open_epochs, tmp_path, minutes=600, sizes=jobs.ASSUMED)
    assert {share.job for share in found.values()} == {"runs1"}
    total = sum(share.minutes for share in found.values())
    alone = sum(jobs.seconds(each, jobs.ASSUMED) for each in runs) / 60
    started = 30 * OVERHEAD / 60
    assert total == math.ceil(jobs.MARGIN + alone + started)


def test_jobs_are_called_by_a_name_and_a_number(tmp_path):
    runs = [run(f"run{number}") for number in range(30)]
    found = packing.shares(runs, open_epochs, tmp_path, 10, jobs.ASSUMED, "of-a-step-")
    names = {share.job for share in found.values()}
    assert names == {f"of-a-step-{number}" for number in range(1, len(names) + 1)}


def test_a_run_that_fills_a_job_shares_none(tmp_path):
    runs = [run("long", epochs=1000), run("short", epochs=1)]
    assert packing.shares(runs, open_epochs, tmp_path, minutes=1, sizes=jobs.ASSUMED) == {}


class Quick:
    """As if finished runs told that every run takes 10 s."""

    def __init__(self, folder: Path):
        self.folder = folder

    def estimate(self, run: Run, epochs: int) -> TimeEstimate:
        return TimeEstimate(10.0, "another")


def test_finished_runs_tell_how_much_a_job_holds_and_may_take(tmp_path, monkeypatch):
    """On most machines much more than arithmetic for a slow core allows."""
    runs = [run(f"run{number}") for number in range(30)]
    by_arithmetic = packing.shares(runs, open_epochs, tmp_path, minutes=10, sizes=jobs.ASSUMED)
    monkeypatch.setattr(packing, "RunTimes", Quick)
    by_experience = packing.shares(runs, open_epochs, tmp_path, minutes=10, sizes=jobs.ASSUMED)
    assert len({share.job for share in by_arithmetic.values()}) > 5
    assert {share.job for share in by_experience.values()} == {"runs1"}
    # Three times what is expected, and once the margin.
    minutes = sum(share.minutes for share in by_experience.values())
    assert minutes == jobs.MARGIN + 3 * 30 * 10 / 60


@pytest.mark.parametrize("minutes", [5, 30])
def test_what_is_finished_hardly_counts(tmp_path, minutes):
    runs = [run(f"run{number}") for number in range(20)]
    found = packing.shares(runs, lambda run: Completeness(), tmp_path, minutes, jobs.ASSUMED)
    assert len({share.job for share in found.values()}) == 1


def test_shares_are_the_same_whenever_they_are_asked_for(tmp_path):
    """Snakemake asks again when a checkpoint has changed the graph."""
    runs = [run(f"run{number}", epochs=number + 1) for number in range(50)]
    once, again = (packing.shares(runs, open_epochs, tmp_path, 60, jobs.ASSUMED) for _ in range(2))
    assert once == again
