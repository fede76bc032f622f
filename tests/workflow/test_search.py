"""A search on the real Snakefile: what it trains, how it goes on, that it equals a fresh one."""

import json
import os

import optuna
import pyarrow.parquet as pq
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import create_trial

from killed import killed_throughout
from small_study import ROOT, STUDY, Study

# How often a search is killed: `make test` and `make test-full`.
KILLS = 10 if os.environ.get("HYPOTHESIS_PROFILE") == "full" else 3

SPACE = {
    "learning_rate": {"low": 0.01, "high": 1.0, "log": True},
    "optimizer": ["sgd", "adam"],
    "momentum": [0.0, 0.5, 0.9],
}

TUNED = {
    "space": SPACE,
    "trials": 6,
    "parallel": 3,
    "halving": {"min_epochs": 1, "reduction_factor": 3},
    "confirm": 1,
}

SEARCHED = {
    "data": STUDY["data"] | {"validation": {"from": "train", "size": 100}},
    "experiments": None,
    "baseline": STUDY["baseline"] | {"epochs": 3},
    "search": {"tuned": TUNED},
    "final": "best",
}

# Epochs of single seeds that it trains: of six trials, of two of these, and of a second seed.
EPOCHS = 6 * 1 + 2 * 2 + 3


def configured(folder, **changes) -> Study:
    folder.mkdir()
    study = Study(folder)
    study.configure(**SEARCHED | {"search": {"tuned": TUNED | changes}})
    return study


def trials(study: Study):
    return pq.read_table(study.results / "search/tuned/trials.parquet")


def importance(study: Study) -> bytes:
    return (study.results / "search/tuned/importance.parquet").read_bytes()


@pytest.fixture(scope="module")
def searched(tmp_path_factory) -> Study:
    study = configured(tmp_path_factory.mktemp("search") / "study")
    study.ok()
    return study


def test_a_search_trains_no_epoch_twice_and_none_that_it_did_not_ask_for(searched, tmp_path):
    found = trials(searched).to_pylist()
    assert [row["state"] for row in found].count("complete") == 2
    asked = sum(row["epochs"] for row in found) + 3
    assert searched.newly_trained([]) == asked == EPOCHS
    study = searched.copy(tmp_path / "copy")
    again = study.ok()
    assert "Nothing to be done" in again.output
    assert trials(study) == trials(searched)


def test_the_winner_is_the_final_model_and_the_report_tells_of_the_search(searched):
    choice = json.loads((searched.results / "choice.json").read_text(encoding="utf-8"))
    plan = json.loads((searched.results / "plan.json").read_text(encoding="utf-8"))
    complete = [row for row in trials(searched).to_pylist() if len(row["seeds"]) == 2]
    [winner] = complete
    assert plan["final"]["run"] == winner["run"]
    assert {**plan["baseline"], **choice["settings"]} == plan["final"]["settings"]
    report = (searched.results / "report.en.md").read_text(encoding="utf-8")
    assert f"**The winner is trial {winner['number']}**" in report
    assert "## Searches" in report
    # Without experiments, the search is what a reader sees first, and once.
    assert report.count("figures/tuned.en.png") == 1
    assert "figures/tuned.en.png" in report.partition("## Contents")[0]
    assert (searched.results / "figures/tuned.en.svg").is_file()


def test_the_model_alone_asks_for_no_more_of_the_search_than_its_winner(searched, tmp_path):
    study = searched.copy(tmp_path / "copy")
    for name in ("importance", "trials"):
        (study.results / f"search/tuned/{name}.parquet").unlink()
    (study.results / "model/README.md").unlink()
    assert study.ok("model").jobs == {"export_model": 1, "model": 1}


def test_a_promoted_trial_is_what_is_trained_in_one_go(searched, tmp_path):
    """Another study asks for the winner's settings alone, at once, with all epochs and seeds."""
    [winner] = [row for row in trials(searched).to_pylist() if len(row["seeds"]) == 2]
    settings = {key: winner[key] for key in SPACE if winner[key] is not None}
    study = Study(tmp_path)
    one = {"one": {"vary": {"epochs": [3]}, "with": settings}}
    study.configure(**SEARCHED | {"search": None, "experiments": one, "final": settings})
    study.ok("metrics")
    assert study.content()[winner["run"]] == searched.content()[winner["run"]]


def test_more_trials_keep_the_earlier_ones_and_equal_a_fresh_search(searched, tmp_path):
    grown = searched.copy(tmp_path / "grown")
    before = grown.trained()
    grown.configure(**SEARCHED | {"search": {"tuned": TUNED | {"trials": 9}}})
    grown.ok("metrics")
    fresh = configured(tmp_path / "fresh", trials=9)
    fresh.ok("metrics", "--cores", "1")
    assert trials(grown) == trials(fresh)
    assert trials(grown)["run"].to_pylist()[:6] == trials(searched)["run"].to_pylist()
    assert importance(grown) == importance(fresh)
    known = fresh.content()
    assert {run: content for run, content in grown.content().items() if run in known} == {
        run: grown.content()[run] for run in known
    }
    assert grown.newly_trained(before) <= fresh.newly_trained([]) - 6


def test_a_search_that_is_killed_goes_on_and_ends_as_one_that_was_not(searched, tmp_path):
    study = configured(tmp_path / "killed")
    killed_throughout(study, KILLS, EPOCHS, "metrics")
    path = "search/tuned/trials.parquet"
    assert (study.results / path).read_bytes() == (searched.results / path).read_bytes()
    assert study.newly_trained([]) == searched.newly_trained([])


def test_what_is_damaged_is_made_anew_and_changes_no_trial(searched, tmp_path):
    study = searched.copy(tmp_path / "damaged")
    last = trials(study)["run"].to_pylist()[-1]
    (study.results / "runs" / last / "record.parquet").write_bytes(b"damaged")
    study.ok()
    assert trials(study) == trials(searched)
    assert "Nothing to be done" in study.ok().output


def test_an_experiment_and_a_search_share_what_is_trained(searched, tmp_path):
    study = searched.copy(tmp_path / "shared")
    before = study.trained()
    row = next(row for row in trials(study).to_pylist() if row["optimizer"] == "adam")
    other = {
        "rate": {"vary": {"learning_rate": [row["learning_rate"]]}, "with": {"optimizer": "adam"}}
    }
    study.configure(**SEARCHED | {"experiments": other})
    study.ok("metrics")
    assert study.newly_trained(before) == 2 * 3 - row["epochs"] * len(row["seeds"])
    assert trials(study) == trials(searched)


def test_a_search_begins_with_the_trials_of_an_optuna_study(searched, tmp_path):
    distributions = {
        "learning_rate": FloatDistribution(0.01, 1.0, log=True),
        "optimizer": CategoricalDistribution(["sgd", "adam"]),
    }
    before = optuna.create_study(storage=f"sqlite:///{tmp_path}/study.db", direction="maximize")

    def add(rate):
        params = {"learning_rate": rate, "optimizer": "adam"}
        known = {"params": params, "distributions": distributions}
        before.add_trial(create_trial(**known, value=1.0 - rate))

    for number in range(12):
        add(0.01 * 1.4**number)
    study = configured(tmp_path / "study", **{"from": "../study.db"})
    study.ok("metrics")
    assert trials(study).num_rows == 6
    assert trials(study)["run"].to_pylist() != trials(searched)["run"].to_pylist()
    assert "Nothing to be done" in study.ok("metrics").output

    def digest():
        path = study.results / "search" / "tuned" / "trials-0001.json"
        return json.loads(path.read_text(encoding="utf-8"))["of"]

    first = digest()
    add(0.5)
    study.ok("metrics")
    assert digest() != first


def test_verify_finds_a_trial_s_altered_score_wrong_and_all_else_right(searched, tmp_path):
    study = searched.copy(tmp_path / "verified")
    words = ("--configfile", str(study.folder / "study.yaml"), "--results", str(study.results))
    path = study.results / "search/tuned/trials.parquet"
    table = pq.read_table(path)
    values = [0.99, *table["value"].to_pylist()[1:]]
    place = table.schema.get_field_index("value")
    pq.write_table(table.set_column(place, table.schema.field(place), [values]), path)
    told = study.call(ROOT / "scripts" / "verify.py", *words).stdout
    [wrong] = [line for line in told.splitlines() if line.startswith("WRONG")]
    assert "search/tuned/trials.parquet" in wrong


def test_two_searches_that_draw_the_same_train_it_once(tmp_path):
    space = {"dropout": [0.0, 0.2, 0.5], "learning_rate": [0.05, 0.1]}
    halving = {"min_epochs": 1, "reduction_factor": 2}
    one = {"space": space, "trials": 4, "parallel": 2, "halving": halving, "confirm": 1}
    two = one | {"seed": 3, "trials": 6}
    study = Study(tmp_path)
    study.configure(**SEARCHED | {"search": {"one": one, "two": two}})
    study.ok("metrics")
    trained = [(run, epoch, seed) for run, epoch, seeds in study.trained() for seed in seeds]
    assert len(trained) == len(set(trained))
    assert "Nothing to be done" in study.ok("metrics").output
