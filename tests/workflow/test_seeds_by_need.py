"""Seeds only where the answer is unclear, on the real Snakefile: what is trained, and for whom."""

import json
import os
import shutil
from base64 import urlsafe_b64encode
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from killed import killed_throughout
from small_study import ROOT, Study

# How often it is killed: `make test` and `make test-full`.
KILLS = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "full" else 3

# One that learns nothing, and two between which chance decides.
RATES = [0.00001, 0.0048, 0.005]

BY_NEED = {
    "rate": {
        "vary": {"learning_rate": RATES},
        "with": {"optimizer": "adam"},
        "seeds": {"start": 3, "most": 9},
    }
}


def configured(folder: Path, **changes) -> Study:
    folder.mkdir()
    study = Study(folder)
    study.configure(**{"experiments": BY_NEED} | changes)
    return study


def made(study: Study) -> dict[str, bytes]:
    """What follows from the records: tables, and the files of the steps."""
    found = [study.results / f"{name}.parquet" for name in ("summary", "comparisons")]
    found += sorted(study.results.glob("search/rate/*.json"))
    return {path.name: path.read_bytes() for path in found}


def asked(study: Study) -> list[int]:
    """How many seeds each value got, by the files of the steps."""
    paths = sorted(study.results.glob("search/rate/*.json"))
    counts = dict.fromkeys(range(len(RATES)), 3)
    for path in paths:
        taken = json.loads(path.read_text(encoding="utf-8"))
        counts |= dict.fromkeys(taken["asked"], int(path.stem.removeprefix("seeds-")))
    return list(counts.values())


def replicates(study: Study) -> list[tuple[str, int, int]]:
    """Run, epoch and seed of all that was trained."""
    return [(run, epoch, seed) for run, epoch, seeds in study.trained() for seed in seeds]


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Study:
    study = configured(tmp_path_factory.mktemp("by_need") / "study")
    study.ok()
    return study


def test_further_seeds_are_trained_for_what_is_unclear_alone(finished):
    assert asked(finished) == [3, 9, 9]
    trained = replicates(finished)
    assert len(trained) == len(set(trained)) == 2 * (3 + 9 + 9)
    summary = pq.read_table(finished.results / "summary.parquet").to_pylist()
    assert [row["n"] for row in summary] == [3, 9, 9]
    report = (finished.results / "report.en.md").read_text(encoding="utf-8")
    assert "0.0048 and 0.005: 9 seeds; 0.00001: 3 seeds." in report
    assert "Nothing to be done" in finished.ok().output


def test_one_core_makes_the_same_bytes_as_two(finished, tmp_path):
    study = configured(tmp_path / "study")
    study.ok("metrics", "--cores", "1")
    assert study.content() == finished.content()
    assert made(study) == made(finished)


def test_what_is_damaged_before_the_first_step_keeps_no_step_from_being_taken(finished, tmp_path):
    """Once Snakemake made the run anew and ended well, without the steps and the metrics."""
    study = configured(tmp_path / "study")
    study.ok("metrics", "--until", "train")
    assert not list(study.results.glob("search/rate/*.json"))
    damaged = next(study.results.glob("runs/*/weights.safetensors"))
    damaged.write_bytes(b"damaged")
    study.ok("metrics")
    assert study.content() == finished.content()
    assert made(study) == made(finished)


def test_what_goes_on_with_the_final_model_s_run_comes_before_its_evaluation(tmp_path):
    """Once the evaluation was made again by the next call, from the same weights."""
    dropouts = {"vary": {"dropout": [0.5, 0.2, 0.0]}}
    changes = {"final": {"dropout": 0.0}}
    study = configured(tmp_path / "study", experiments={"dropout": dropouts}, **changes)
    study.ok()
    adding = dropouts | {"seeds": {"start": 2, "most": 3}}
    study.configure(experiments={"dropout": adding}, **changes)
    study.ok()
    assert "Nothing to be done" in study.ok().output


def test_a_kill_as_the_first_step_ends_is_no_reason_to_collect_too_early(finished, tmp_path):
    """Snakemake has not noted that it is done: it once collected before it knew the later steps."""
    study = finished.copy(tmp_path / "cut off")
    (study.results / "metrics.parquet").unlink()
    first = "results/search/rate/seeds-0005.json"
    notes = study.folder / ".snakemake" / "incomplete"
    notes.mkdir(exist_ok=True)
    (notes / urlsafe_b64encode(first.encode()).decode()).write_text("{}", encoding="utf-8")
    study.ok("metrics")
    assert study.content() == finished.content()


def test_one_that_is_killed_goes_on_and_ends_as_one_that_was_not(finished, tmp_path):
    study = configured(tmp_path / "study")
    killed_throughout(study, KILLS, len(replicates(finished)), "metrics")
    assert study.content() == finished.content()
    assert made(study) == made(finished)
    assert sorted(replicates(study)) == sorted(replicates(finished))


def test_more_seeds_at_most_keep_what_was_trained(finished, tmp_path):
    study = finished.copy(tmp_path / "more")
    before = replicates(study)
    more = BY_NEED["rate"] | {"seeds": {"start": 3, "most": 10}}
    study.configure(experiments={"rate": more})
    study.ok("metrics")
    assert asked(study) == [3, 10, 10]
    new = [replicate for replicate in replicates(study) if replicate not in before]
    assert len(new) == len(replicates(study)) - len(before) == 2 * 2
    assert {seed for _, _, seed in new} == {9}


def test_an_edit_to_a_plain_experiment_and_back_ends_as_if_there_had_been_none(finished, tmp_path):
    study = finished.copy(tmp_path / "edited")
    before = study.trained()
    plain = {key: value for key, value in BY_NEED["rate"].items() if key != "seeds"}
    study.configure(seeds=4, experiments={"rate": plain})
    study.ok("metrics")
    summary = pq.read_table(study.results / "summary.parquet").to_pylist()
    assert [row["n"] for row in summary] == [4, 4, 4]
    assert study.newly_trained(before) == 2
    study.configure(experiments=BY_NEED)
    study.ok("metrics")
    assert study.newly_trained(before) == 2
    assert made(study) == made(finished)
    assert "Nothing to be done" in study.ok("metrics").output


def test_plan_status_prune_and_verify_know_of_it(finished, tmp_path):
    study = finished.copy(tmp_path / "told")

    def told(program: str, option: str, place: str) -> str:
        words = ("--configfile", "study.yaml", option, place)
        return study.call(ROOT / "scripts" / f"{program}.py", *words).stdout

    plan = told("show_plan", "--runs", "results/runs")
    assert "rate: 3 to 9 seeds a value, as it needs them" in plan
    assert "values: 1 with 3, 2 with 9; no more to come" in plan
    assert told("show_status", "--results", "results").startswith("finished: 3 of 3 runs")
    assert "nothing to remove" in told("prune", "--results", "results")

    path = study.results / "search/rate/seeds-0009.json"
    path.write_text(path.read_text().replace("  2\n", "  0\n"))
    found = told("verify", "--results", "results").splitlines()
    wrong = [line for line in found if line.startswith("WRONG")]
    assert any("search/rate/seeds-0009.json" in line for line in wrong)

    shutil.rmtree(study.results / "search")
    plan = told("show_plan", "--runs", "results/runs")
    assert "values: 3 with 3; at most 36 epochs to come" in plan
