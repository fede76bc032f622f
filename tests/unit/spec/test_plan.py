"""A configuration becomes the least that must be trained, under names that last."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from examples import MANY, training_settings
from mnistlike import write_dataset
from study.spec.config import load, validated
from study.spec.models import MLP
from study.spec.plan import run_name
from study.spec.resolution import resolve
from study.spec.schemas import SCHEMAS, definitions, schema
from study.spec.settings import identity
from study.support.errors import StudyError

KNOWN = MLP.hyperparameters

DEFAULT = SCHEMAS.parents[1] / "config.yaml"
SCRIPTS = SCHEMAS.parents[1] / "scripts"

# Published: results are found by these names.
DEFAULT_RUNS = {
    "sgd-lr0.0001-dropout0.2-128x64-batch100-02269d46390f": 10,
    "sgd-lr0.001-dropout0.2-128x64-batch100-5219eee9ce6c": 30,
    "sgd-lr0.01-dropout0.2-128x64-batch100-1530d637004d": 10,
    "adam-lr0.001-dropout0.2-128x64-batch100-e8d77fd052a2": 10,
    "sgd-lr0.001-dropout0.0-128x64-batch100-5ba7b7a6aec0": 10,
    "sgd-lr0.001-dropout0.4-128x64-batch100-af82fda75afc": 10,
    "sgd-lr0.001-dropout0.6-128x64-batch100-feaefff83ff1": 10,
    "sgd-lr0.001-dropout0.2-64x32-batch100-03467bfe5dad": 10,
    "sgd-lr0.001-dropout0.2-256x128-batch100-d5ae0c9d39d1": 10,
    "sgd-lr0.001-dropout0.2-512x256-batch100-fd6728c8edd9": 10,
    "sgd-lr0.001-dropout0.2-128x64-batch32-c3f76169085a": 10,
    "sgd-lr0.001-dropout0.2-128x64-batch64-dd607f8e4ebc": 10,
    "sgd-lr0.001-dropout0.2-128x64-batch128-927cc8db4aff": 10,
    "sgd-lr0.001-dropout0.2-128x64-batch256-cd5834ca82fa": 10,
    "adam-lr0.001-dropout0.2-128x64-batch32-f414d02e1684": 30,
}


@pytest.fixture(scope="module")
def default_plan():
    return resolve(load([DEFAULT]))


def planned(experiments=None, **others):
    experiments = experiments or {"one": {"vary": {"dropout": [0.1]}}}
    return resolve(validated({"experiments": experiments} | others, "config.yaml"))


def test_the_default_study_has_these_runs(default_plan):
    assert {run.run: run.epochs for run in default_plan.runs} == DEFAULT_RUNS
    assert sum(DEFAULT_RUNS.values()) == 190
    assert all(run.seeds == [0, 1, 2, 3, 4] for run in default_plan.runs)
    assert default_plan.notes == []


def test_the_default_study_asks_for_24_trainings(default_plan):
    askers = [value for experiment in default_plan.experiments for value in experiment.values]
    assert len(askers) + 1 == 24
    assert {value.run for value in askers} | {default_plan.final.run} == set(DEFAULT_RUNS)


def test_the_baseline_is_one_run_for_all_experiments_that_hold_it(default_plan):
    sharing = [
        experiment.name
        for experiment in default_plan.experiments
        if "sgd-lr0.001-dropout0.2-128x64-batch100-5219eee9ce6c"
        in {value.run for value in experiment.values}
    ]
    assert sharing == [experiment.name for experiment in default_plan.experiments]


def test_an_experiment_over_epochs_is_read_off_its_longest_run(default_plan):
    [epochs] = [each for each in default_plan.experiments if each.name == "epochs"]
    assert [value.epochs for value in epochs.values] == [5, 10, 15, 20, 30]
    assert [value.value for value in epochs.values] == ["5", "10", "15", "20", "30"]
    assert len({value.run for value in epochs.values}) == 1


def test_the_final_model_differs_from_the_baseline_where_it_says(default_plan):
    final = default_plan.final
    changed = {"optimizer": "adam", "batch_size": 32, "epochs": 30}
    assert final.settings == default_plan.baseline | changed
    assert final.value == "final"
    assert final.epochs == 30
    assert {run.run: run.kept_epochs for run in default_plan.runs if run.kept_epochs} == {
        final.run: [30]
    }


def test_a_setting_added_later_with_a_neutral_default_leaves_the_names(monkeypatch):
    first = {"gradient_clipping": {"type": "number", "default": 0.0}}
    last = {"cut_out": {"enum": ["none", "square"], "default": "none"}}
    known = first | definitions() | last
    monkeypatch.setitem(schema()["$defs"]["settings"], "properties", known)
    resolved = resolve(load([DEFAULT]))
    assert "cut_out" in resolved.runs[0].settings
    assert [run.run for run in resolved.runs] == list(DEFAULT_RUNS)
    known = MLP.hyperparameters
    clipped = known.complete({"gradient_clipping": 1.0})
    assert run_name(clipped, "FashionMNIST", "test") != run_name(
        known.complete({}), "FashionMNIST", "test"
    )


def test_equal_configurations_of_several_experiments_are_one_run_of_the_longest_wish():
    resolved = planned(
        {
            "short": {"vary": {"dropout": [0.1, 0.2]}, "with": {"epochs": 3}},
            "long": {"vary": {"learning_rate": [0.001]}, "with": {"dropout": 0.2, "epochs": 7}},
            "middle": {"vary": {"epochs": [5]}, "with": {"dropout": 0.2}},
        }
    )
    assert [run.epochs for run in resolved.runs] == [3, 7]
    shared = resolved.runs[1].run
    assert [
        (experiment.name, value.epochs)
        for experiment in resolved.experiments
        for value in experiment.values
        if value.run == shared
    ] == [("short", 3), ("long", 7), ("middle", 5)]


def test_renaming_and_reordering_experiments_seeds_and_device_name_no_run_anew():
    one, two = {"vary": {"dropout": [0.1]}}, {"vary": {"batch_size": [10, 20]}}
    before = planned({"one": one, "two": two}, device="cpu", seeds=2)
    after = planned(
        {"second": two, "first": one}, device="auto", seeds=[7], data={"sources": ["x"]}
    )
    assert {run.run for run in before.runs} == {run.run for run in after.runs}


def test_two_keys_make_a_grid_of_all_combinations():
    resolved = planned({"grid": {"vary": {"learning_rate": [0.01, 0.1], "hidden": [[8], [8, 4]]}}})
    [grid] = resolved.experiments
    assert grid.keys == ["learning_rate", "hidden"]
    assert [value.value for value in grid.values] == [
        "learning_rate=0.01, hidden=8",
        "learning_rate=0.01, hidden=8-4",
        "learning_rate=0.1, hidden=8",
        "learning_rate=0.1, hidden=8-4",
    ]
    assert grid.values[3].settings == {"learning_rate": 0.1, "hidden": [8, 4]}
    assert len(resolved.runs) == 4


def test_a_grid_over_epochs_shares_the_runs_of_the_other_key():
    resolved = planned({"grid": {"vary": {"epochs": [2, 4], "dropout": [0.1, 0.3]}}})
    assert [(run.settings["dropout"], run.epochs) for run in resolved.runs] == [(0.1, 4), (0.3, 4)]
    assert [value.epochs for value in resolved.experiments[0].values] == [2, 2, 4, 4]


def test_with_changes_the_base_of_one_experiment_alone():
    resolved = planned(
        {
            "moved": {"vary": {"dropout": [0.1]}, "with": {"batch_size": 8, "epochs": 2}},
            "plain": {"vary": {"dropout": [0.1]}},
        },
        baseline={"batch_size": 50},
    )
    moved, plain = resolved.experiments
    assert moved.settings == KNOWN.complete({"batch_size": 8, "epochs": 2})
    assert plain.settings == resolved.baseline == KNOWN.complete({"batch_size": 50})
    assert [run.settings["batch_size"] for run in resolved.runs] == [8, 50]


def test_a_key_under_both_vary_and_with_is_refused():
    experiment = {"vary": {"dropout": [0.1]}, "with": {"dropout": 0.2}}
    with pytest.raises(StudyError, match=r"experiments\.one: 'dropout' stands under both"):
        planned({"one": experiment})


def test_an_ignored_setting_is_noted_and_is_no_part_of_a_run():
    resolved = planned(
        {"optimizer": {"vary": {"optimizer": ["sgd", "adam"]}}},
        baseline={"momentum": 0.9, "nesterov": True},
        final={"optimizer": "rmsprop"},
    )
    assert resolved.notes == [
        "experiments.optimizer: adam ignores momentum = 0.9",
        "experiments.optimizer: adam ignores nesterov = true",
        "final: rmsprop ignores nesterov = true",
    ]
    sgd, adam, rmsprop = (run.settings for run in resolved.runs)
    assert (sgd["momentum"], sgd["nesterov"]) == (0.9, True)
    assert not {"momentum", "nesterov"} & set(adam)
    assert rmsprop["momentum"] == 0.9
    plain = planned({"one": {"vary": {"optimizer": ["adam"]}}})
    assert resolved.runs[1].run == plain.runs[0].run


@pytest.mark.parametrize(
    ("experiment", "key"),
    [
        ({"vary": {"momentum": [0.1, 0.9]}, "with": {"optimizer": "adam"}}, "momentum"),
        ({"vary": {"nesterov": [True]}, "with": {"optimizer": "rmsprop"}}, "nesterov"),
        ({"vary": {"optimizer": ["sgd", "adam"], "momentum": [0.9]}}, "momentum"),
    ],
)
def test_varying_what_the_optimizer_does_not_use_is_an_error(experiment, key):
    with pytest.raises(StudyError, match=rf"experiments\.one\.vary\.{key}: .* does not use"):
        planned({"one": experiment})


@pytest.mark.parametrize(
    ("experiments", "others", "place"),
    [
        ({"one": {"vary": {"nesterov": [False, True]}}}, {}, "experiments.one"),
        ({"one": {"vary": {"dropout": [0.1]}, "with": {"nesterov": True}}}, {}, "experiments.one"),
        (None, {"baseline": {"nesterov": True}}, "experiments.one"),
        (None, {"final": {"nesterov": True}}, "final"),
    ],
)
def test_nesterov_without_momentum_is_refused(experiments, others, place):
    with pytest.raises(StudyError, match=f"{place}: nesterov needs a momentum above 0"):
        planned(experiments, **others)


@MANY
@given(training_settings(), training_settings())
def test_runs_share_a_name_only_if_they_are_the_same(one, other):
    names = [run_name(KNOWN.complete(each), "Some", "test") for each in (one, other)]
    assert (names[0] == names[1]) == (one == other)


_CHANGED = {
    "optimizer": "rmsprop",
    "learning_rate": 0.5,
    "learning_rate_decay": 0.9,
    "schedule": "cosine",
    "warmup_epochs": 1,
    "momentum": 0.5,
    "nesterov": True,
    "weight_decay": 0.1,
    "gradient_clip": 1.0,
    "label_smoothing": 0.1,
    "class_weights": "balanced",
    "dropout": 0.3,
    "hidden": [128, 64, 32],
    "activation": "tanh",
    "batch_size": 101,
    "weight_averaging": 0.9,
    "shift": 1,
    "flip": True,
    "precision": "bfloat16",
}


@pytest.mark.parametrize("changed", KNOWN.names[:-1])
def test_every_setting_that_changes_learning_changes_the_name(changed):
    base = KNOWN.complete({"optimizer": "sgd", "momentum": 0.9})
    assert run_name(base | {changed: _CHANGED[changed]}, "D", "test") != run_name(base, "D", "test")


def test_epochs_change_no_name_and_data_and_validation_do():
    base = KNOWN.complete({})
    assert run_name(base | {"epochs": 99}, "D", "test") == run_name(base, "D", "test")
    others = {run_name(base, *data) for data in [("D", "test"), ("E", "test"), ("D", "split")]}
    assert len(others) == 3


@given(st.lists(st.integers(2, 65536), min_size=1, max_size=100))
@example([65536] * 100)
def test_a_name_is_safe_as_a_file_name_however_long_the_network(hidden):
    name = run_name(KNOWN.complete({"hidden": hidden, "weight_decay": 1e-300}), "D", "test")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*-[0-9a-f]{12}", name)
    assert len(name) < 200


def test_long_names_that_begin_alike_differ():
    deep, deeper = ([32] * layers for layers in (99, 100))
    assert (
        len({run_name(KNOWN.complete({"hidden": each}), "D", "test") for each in (deep, deeper)})
        == 2
    )


@pytest.mark.parametrize("short", ["1", "1.0", "1e0"])
def test_a_whole_number_names_the_same_run_as_its_fraction(tmp_path, short):
    path = tmp_path / "config.yaml"
    path.write_text(f"experiments: {{one: {{vary: {{learning_rate: [{short}]}}}}}}\n")
    assert resolve(load([path])).runs[0].run.startswith("sgd-lr1.0-dropout0.0-")


def test_minus_zero_names_the_same_run_as_zero():
    experiments = {"one": {"vary": {"dropout": [-0.0]}}, "two": {"vary": {"dropout": [0]}}}
    assert len(planned(experiments).runs) == 1


def test_seeds_are_a_number_or_a_list():
    assert planned(seeds=3).seeds == [0, 1, 2]
    resolved = planned(seeds=[7, 3])
    assert resolved.seeds == [7, 3]
    assert resolved.runs[0].seeds == [7, 3]


def test_a_data_set_of_ones_own_is_known_by_its_name_not_its_place(tmp_path):
    names = set()
    for folder in ("here", "there"):
        path = write_dataset(tmp_path / folder, train=4, test=2, side=2)
        resolved = planned(data={"dataset": str(path)})
        assert resolved.dataset == str(path)
        names.add(resolved.runs[0].run)
    assert len(names) == 1
    assert names != {planned().runs[0].run}


def test_a_data_set_that_is_nowhere_is_named():
    with pytest.raises(StudyError, match="FashionMNST.*did you mean 'FashionMNIST'"):
        planned(data={"dataset": "FashionMNST"})


def test_the_plan_is_written_as_json_with_the_words_of_the_design(default_plan):
    written = json.loads(default_plan.to_json())
    assert {"dataset", "validation", "seeds", "languages", "baseline", "experiments", "final"} <= (
        set(written)
    )
    experiment = written["experiments"][0]
    words = {"name", "keys", "settings", "values", "seeds", "looks", "steps", "taken"}
    assert set(experiment) == words
    assert experiment["values"][0] == {
        "value": "0.0001",
        "settings": {"learning_rate": 0.0001},
        "run": "sgd-lr0.0001-dropout0.2-128x64-batch100-02269d46390f",
        "epochs": 10,
    }
    assert written["runs"][0] == {
        "run": "sgd-lr0.0001-dropout0.2-128x64-batch100-02269d46390f",
        "settings": identity(KNOWN.complete({"learning_rate": 0.0001, "dropout": 0.2})),
        "epochs": 10,
        "seeds": [0, 1, 2, 3, 4],
        "kept_epochs": [],
    }
    assert default_plan.to_json() == resolve(load([DEFAULT])).to_json()


def test_a_study_without_a_final_model_has_none():
    assert planned().final is None


def test_a_final_model_shorter_than_the_run_it_shares_is_read_off_it():
    experiments = {"long": {"vary": {"epochs": [9]}}}
    [run] = planned(experiments, final={"epochs": 4}).runs
    assert (run.epochs, run.kept_epochs) == (9, [4])


# The part of a study that is finished, for a report meanwhile.


def three_experiments():
    return planned(
        {
            "dropout": {"vary": {"dropout": [0.1, 0.2]}},
            "epochs": {"vary": {"epochs": [3, 9]}},
            "rates": {"vary": {"learning_rate": [0.5]}},
        },
        seeds=2,
        baseline={"epochs": 4},
        final={"optimizer": "adam", "epochs": 6},
    )


def test_a_study_restricted_to_what_is_all_there_is_the_same():
    whole = three_experiments()
    there = {run.run: dict.fromkeys(run.seeds, run.epochs) for run in whole.runs}
    assert whole.restricted_to(there) == whole


def test_a_study_restricted_to_nothing_lists_all_that_is_missing():
    nothing = three_experiments().restricted_to({})
    assert (nothing.experiments, nothing.final, nothing.runs) == ([], None, [])
    assert nothing.missing == [
        "dropout: 0.1",
        "dropout: 0.2",
        "epochs: 3",
        "epochs: 9",
        "rates: 0.5",
        "final",
    ]


def test_a_restricted_study_names_an_experiment_that_adds_seeds_once_it_has_a_value():
    rates = {"vary": {"learning_rate": [0.1, 0.5]}, "seeds": {"start": 2, "most": 4}}
    whole = planned({"rates": rates})
    assert whole.restricted_to({}).missing == ["rates: 0.1", "rates: 0.5"]
    first, second = (run.run for run in whole.runs)
    there = {first: {0: 99, 1: 99}, second: {0: 99, 1: 99}}
    assert whole.restricted_to({first: there[first]}).missing == ["rates: 0.5", "rates"]
    assert whole.restricted_to(there).missing == ["rates"]


def test_a_restricted_study_keeps_values_and_seeds_that_have_all_their_epochs():
    whole = three_experiments()
    first, second, epochs, rates, final = (run.run for run in whole.runs)
    part = whole.restricted_to(
        {first: {0: 4, 1: 3}, second: {0: 3}, epochs: {0: 5, 1: 3}, rates: {1: float("inf")}}
    )
    assert [(run.run, run.seeds, run.epochs) for run in part.runs] == [
        (first, [0], 4),
        (epochs, [0, 1], 3),
        (rates, [1], 4),
    ]
    assert part.final is None
    assert part.missing == ["dropout: 0.2", "epochs: 9", "final"]
    assert [each.name for each in part.experiments] == ["dropout", "epochs", "rates"]
    assert final not in {run.run for run in part.runs}


def test_planning_does_without_torch():
    code = (
        "import sys; from pathlib import Path;"
        "from study.spec import config, resolution; from study.runs import records;"
        f"resolution.resolve(config.load([Path({str(DEFAULT)!r})]));"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, check=True)
