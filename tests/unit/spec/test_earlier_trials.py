"""Trials of an Optuna study as what a search's sampler knows from the start."""

import hashlib
import json
import sqlite3
from dataclasses import asdict, replace

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from study.spec import optuna_file
from study.spec.config import validated
from study.spec.plan import Plan
from study.spec.resolution import resolve
from study.spec.searches import EarlierTrial
from study.support.errors import StudyError


def config(**search):
    described = {"trials": 6, **search}
    return {"baseline": {"epochs": 9}, "seeds": 3, "search": {"tuned": described}}


def search(**changes):
    [found] = resolve(validated(config(**changes), "config.yaml")).searches
    return found


FOREIGN = {
    "learning_rate": FloatDistribution(0.0001, 1.0, log=True),
    "dropout": FloatDistribution(0.0, 0.5, step=0.1),
    "hidden": CategoricalDistribution(["16", "32-16", "8"]),
    "optimizer": CategoricalDistribution(["sgd", "adam"]),
    "momentum": FloatDistribution(0.0, 0.9),
    "nesterov": CategoricalDistribution([True, False]),
    "batch_size": IntDistribution(10, 200),
}
OWN = {
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "dropout": {"low": 0.0, "high": 0.4, "step": 0.1},
    "hidden": [[16], [32, 16]],
    "optimizer": ["sgd", "adam"],
    "momentum": {"low": 0.0, "high": 0.9},
    "nesterov": [True, False],
    "batch_size": {"low": 20, "high": 100, "step": 20},
}
FITS = {
    "learning_rate": 0.012345678,
    "dropout": 0.30000000000000004,
    "hidden": "32-16",
    "optimizer": "sgd",
    "momentum": 0.5,
    "nesterov": True,
    "batch_size": 40,
}


def foreign(path, *trials, distributions=FOREIGN, name="theirs", **other):
    """Write an Optuna study of trials, each some changes of what fits the space, and its value."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    study = optuna.create_study(
        storage=storage, study_name=name, **{"direction": "maximize"} | other
    )
    for changes, value in trials:
        params = {key: each for key, each in {**FITS, **changes}.items() if key in distributions}
        own = {key: distributions[key] for key in params}
        state = TrialState.COMPLETE if value is not None else TrialState.FAIL
        values = None if value is None else [value] * len(study.directions)
        study.add_trial(create_trial(state=state, params=params, distributions=own, values=values))
    storage.remove_session()
    storage.engine.dispose()
    return study


def from_(path, space=OWN, **other):
    return search(space=space, **{"from": str(path)}, **other)


def test_trials_of_an_optuna_study_are_known_in_the_types_of_settings(tmp_path):
    foreign(tmp_path / "study.db", ({}, 0.8), ({"optimizer": "adam", "hidden": "16"}, 0.7))
    first, second = from_(tmp_path / "study.db").earlier
    assert first == EarlierTrial({**FITS, "dropout": 0.3, "hidden": [32, 16]}, 0.8)
    # Adam has no momentum.
    assert second.settings.keys() == FITS.keys() - {"momentum", "nesterov"}
    assert (second.settings["hidden"], second.score) == ([16], 0.7)
    assert isinstance(first.settings["batch_size"], int)


def test_what_no_trial_s_optimizer_uses_may_be_missing(tmp_path):
    foreign(tmp_path / "study.db", ({"optimizer": "adam"}, 0.8), distributions=without("momentum"))
    [only] = from_(tmp_path / "study.db").earlier
    assert only.settings["optimizer"] == "adam"


def test_what_is_read_is_what_optuna_reads(tmp_path):
    drawn = [({"learning_rate": 10**-n, "nesterov": n % 2 == 0}, 0.1 * n) for n in range(5)]
    study = foreign(tmp_path / "study.db", *drawn, ({}, None), ({}, float("-inf")))
    found = optuna_file.read(tmp_path / "study.db", "tuned")
    known = [each for each in study.trials if each.state == TrialState.COMPLETE]
    assert [(each.number, each.value, each.params) for each in found] == [
        (each.number, each.value, each.params) for each in known if each.value > float("-inf")
    ]


def test_trials_outside_of_the_space_are_left_out_and_told(tmp_path):
    outside = [
        {"learning_rate": 0.5},
        {"dropout": 0.5},
        {"hidden": "8"},
        {"batch_size": 50},
        {"batch_size": 120},
    ]
    foreign(tmp_path / "study.db", *((changes, 0.9) for changes in outside), ({}, 0.8), ({}, None))
    plan = resolve(validated(config(space=OWN, **{"from": str(tmp_path / "study.db")}), "x.yaml"))
    assert [each.score for each in plan.searches[0].earlier] == [0.8]
    assert "search.tuned.from: 5 of 6 trials are not in the space, left out" in plan.notes


def test_another_list_of_trials_is_another_search(tmp_path):
    foreign(tmp_path / "one.db", ({}, 0.8))
    foreign(tmp_path / "same.db", ({}, 0.8), name="another name")
    foreign(tmp_path / "two.db", ({}, 0.8), ({"dropout": 0.1}, 0.7))
    one, same, two = (from_(tmp_path / f"{name}.db") for name in ("one", "same", "two"))
    assert one.digest == same.digest
    assert len({one.digest, two.digest, search(space=OWN).digest}) == 3
    assert one.until("trials-0001").digest != two.until("trials-0001").digest


def test_a_plan_s_file_has_the_earlier_trials(tmp_path):
    foreign(tmp_path / "study.db", ({}, 0.8))
    plan = resolve(validated(config(space=OWN, **{"from": str(tmp_path / "study.db")}), "x.yaml"))
    assert Plan.from_json(json.loads(plan.to_json())) == plan


def test_a_search_without_them_has_the_digest_that_it_had():
    known = asdict(replace(search(space=OWN), taken=[]))
    del known["earlier"]
    before = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
    assert search(space=OWN).digest == before


def test_of_several_studies_that_of_the_search_s_name_is_taken(tmp_path):
    foreign(tmp_path / "study.db", ({}, 0.8), name="a")
    foreign(tmp_path / "study.db", ({}, 0.7), name="b")
    with pytest.raises(StudyError, match="none of its studies has the search's name 'tuned': a, b"):
        from_(tmp_path / "study.db")
    foreign(tmp_path / "study.db", ({}, 0.6), name="tuned")
    assert [each.score for each in from_(tmp_path / "study.db").earlier] == [0.6]


def without(key):
    return {name: each for name, each in FOREIGN.items() if name != key}


@pytest.mark.parametrize(
    ("distributions", "other", "sampler", "message"),
    [
        (without("dropout"), {}, "tpe", "its study has no 'dropout', which the space has"),
        (
            FOREIGN | {"weight_decay": FloatDistribution(0.0, 1.0)},
            {},
            "gp",
            "its study varies 'weight_decay', which the space has not",
        ),
        (FOREIGN, {"direction": "minimize"}, "tpe", "is to minimize, a search to maximize a score"),
        (
            FOREIGN,
            {"direction": None, "directions": ["maximize", "maximize"]},
            "tpe",
            "is to maximize and maximize",
        ),
        (FOREIGN, {}, "random", "the sampler random does not learn from trials"),
    ],
)
def test_a_study_of_another_space_or_aim_is_refused(
    distributions, other, sampler, message, tmp_path
):
    path = tmp_path / "study.db"
    foreign(path, ({"weight_decay": 0.1}, 0.8), distributions=distributions, **other)
    with pytest.raises(StudyError, match=rf"^search\.tuned\.from: .*{message}"):
        from_(path, sampler=sampler)


def test_a_file_that_is_none_is_told(tmp_path):
    path = tmp_path / "study.db"
    with pytest.raises(StudyError, match=rf"search\.tuned\.from: {path}: is missing"):
        from_(path)
    path.write_text("number,value\n" * 100)
    with pytest.raises(StudyError, match=rf"from: {path}: is no SQLite file of Optuna's \(file is"):
        from_(path)
    path.unlink()
    sqlite3.connect(path).execute("CREATE TABLE other (number)").connection.commit()
    with pytest.raises(StudyError, match=r"Optuna's \(no such table: version_info\)"):
        from_(path)
    path.unlink()
    foreign(path, ({"hidden": "8"}, 0.8))
    with pytest.raises(StudyError, match="none of its 1 complete trials is in the space"):
        from_(path)


def test_another_layout_of_optuna_s_tables_is_told(tmp_path):
    foreign(tmp_path / "study.db", ({}, 0.8))
    database = sqlite3.connect(tmp_path / "study.db")
    database.execute("UPDATE version_info SET schema_version = 13")
    database.commit()
    with pytest.raises(StudyError, match="has layout 13 of Optuna's tables, and 12 is known"):
        from_(tmp_path / "study.db")
