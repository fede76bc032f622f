"""The final model that results choose is made of each experiment's best value, with the reasons."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madeup import make
from study.results import findings
from study.search import best_of_each
from study.spec import choice
from study.spec.config import validated
from study.spec.resolution import resolve

CONFIG = {
    "data": {"validation": {"from": "train", "size": 10_000}},
    "baseline": {"dropout": 0.2, "epochs": 4},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2, 0.4]}},
        "length": {"vary": {"epochs": [2, 4]}},
        "grid": {"vary": {"learning_rate": [0.001, 0.01], "batch_size": [32, 100]}},
    },
    "final": "best",
}


def level(settings, epoch):
    """Best with dropout 0.0, small batches, 0.01, and after 2 epochs."""
    accuracy = 0.7 + 0.1 * (settings["learning_rate"] == 0.01) - 0.05 * settings["dropout"]
    return accuracy - 0.0005 * settings["batch_size"] - 0.01 * abs(epoch - 2)


def chosen(config, level, **options):
    study = make(config, level, **options)
    return best_of_each.choose(findings.experiments(study.plan, study.summary), study.plan)


def test_the_best_value_of_each_experiment_is_taken():
    found = chosen(CONFIG, level)
    assert found.settings == {
        "dropout": 0.0,
        "epochs": 2,
        "learning_rate": 0.01,
        "batch_size": 32,
    }
    grid = found.reasons[2]
    assert (grid.value, grid.runner_up) == (
        "learning_rate=0.01, batch_size=32",
        "learning_rate=0.01, batch_size=100",
    )
    assert grid.taken == ["learning_rate", "batch_size"]
    assert grid.lead == pytest.approx(0.034)
    assert grid.p < 0.05


def test_of_experiments_on_one_setting_the_more_accurate_decides():
    config = CONFIG | {
        "experiments": {
            "plain": {"vary": {"dropout": [0.0, 0.4]}},
            "fast": {"with": {"learning_rate": 0.01}, "vary": {"dropout": [0.2, 0.6]}},
        }
    }
    found = chosen(config, level)
    assert found.settings == {"learning_rate": 0.01, "dropout": 0.2}
    assert [reason.taken for reason in found.reasons] == [[], ["learning_rate", "dropout"]]


def by_optimizer(adamw):
    """Accuracies in which only `adamw` is good with much weight decay; dropout is best at 0.0."""

    def level(settings, epoch):
        base = {"sgd": 0.6, "adam": 0.8, "adamw": adamw}[settings["optimizer"]]
        decay = (1 if settings["optimizer"] == "adamw" else -1) * settings["weight_decay"]
        return base + decay - 0.02 * settings["dropout"]

    return level


OPTIMIZERS = CONFIG | {
    "baseline": {"optimizer": "adam", "dropout": 0.2, "epochs": 2},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2, 0.4]}},
        "decay": {"with": {"optimizer": "adamw"}, "vary": {"weight_decay": [0.0, 0.1]}},
    },
}


def test_a_value_comes_with_what_it_was_measured_with():
    """AdamW's weight decay would ruin Adam."""
    found = chosen(OPTIMIZERS, by_optimizer(adamw=0.79))
    assert found.settings == {"dropout": 0.0, "optimizer": "adamw", "weight_decay": 0.1}
    assert [reason.taken for reason in found.reasons] == [
        ["dropout"],
        ["optimizer", "weight_decay"],
    ]


def test_a_value_measured_with_what_a_more_accurate_experiment_has_not_is_left():
    found = chosen(OPTIMIZERS, by_optimizer(adamw=0.6))
    assert found.settings == {"dropout": 0.0}
    assert [reason.taken for reason in found.reasons] == [["dropout"], []]


@given(
    accuracies=st.lists(st.floats(0.2, 0.9), min_size=3, max_size=3, unique=True),
    starts=st.lists(st.sampled_from([{}, {"momentum": 0.5}, {"batch_size": 32}]), min_size=3),
)
def test_the_final_model_has_every_setting_of_the_best_value_of_all(accuracies, starts):
    names = ("dropout", "learning_rate", "label_smoothing")
    worth = dict(zip(names, accuracies, strict=True))
    experiments = {
        name: {"with": start, "vary": {name: [0.05, 0.1]}}
        for name, start in zip(names, starts, strict=False)
    }
    config = CONFIG | {"baseline": {"epochs": 1}, "experiments": experiments, "seeds": 1}

    def level(settings, epoch):
        return max(worth[name] * (settings[name] == 0.1) for name in names)

    study = make(config, level)
    found = findings.experiments(study.plan, study.summary)
    best = max(found, key=lambda each: each.best.validation.mean)
    final = study.plan.baseline | best_of_each.choose(found, study.plan).settings
    others = set(names) - set(best.keys)
    for key, value in best.settings_of(best.best).items():
        assert key in others or final[key] == value


def test_one_seed_gives_a_choice_without_a_test():
    found = chosen(CONFIG | {"seeds": 1}, level)
    assert found.settings["dropout"] == 0.0
    assert [reason.p for reason in found.reasons] == [None] * 3


def test_an_experiment_that_diverged_throughout_decides_nothing():
    experiments = CONFIG["experiments"] | {"wild": {"vary": {"momentum": [0.7, 0.8]}}}
    found = chosen(CONFIG | {"experiments": experiments}, level, diverged={"momentum": 5})
    assert "momentum" not in found.settings
    assert len(found.reasons) == 3


def test_where_all_diverged_nothing_is_chosen_and_the_plan_says_why():
    """Issue 18, entry 1: a diverged run is a result, and the report came to nothing."""
    config = CONFIG | {"experiments": {"wild": {"vary": {"momentum": [0.7, 0.8]}}}}
    found = chosen(config, level, diverged={"momentum": 5})
    assert (found.settings, found.reasons) == ({}, [])
    assert choice.parse(found.to_json()) == found
    planned = resolve(validated(config, "made up"), found)
    assert planned.final is None
    assert planned.unchosen == choice.ALL_DIVERGED
    assert resolve(validated(config, "made up")).unchosen is None


def test_an_experiment_whose_best_lost_seeds_decides_last():
    """Dropout 0.0 is the most accurate by the seeds that it leaves, and lost two of them."""
    experiments = {
        "plain": {"vary": {"dropout": [0.0, 0.4]}},
        "decay": {"vary": {"weight_decay": [0.0, 0.001]}, "with": {"dropout": 0.4}},
    }
    lost = {"dropout0.0-": 2}
    found = chosen(CONFIG | {"experiments": experiments}, level, diverged=lost)
    assert found.settings["dropout"] == 0.4


def test_the_choice_comes_back_as_it_was_written(tmp_path):
    found = chosen(CONFIG, level)
    path = tmp_path / "choice.json"
    assert choice.read_choice(path) is None
    path.write_text(found.to_json())
    assert choice.read_choice(path) == found
    path.write_text("{}")
    assert choice.read_choice(path) is None


def test_a_choice_is_of_these_experiments_and_seeds_alone():
    found = chosen(CONFIG, level)
    for other in ({}, {"report": {"languages": ["es"]}}):
        assert resolve(validated(CONFIG | other, "made up"), found).final
    without = CONFIG["experiments"] | {"dropout": {"vary": {"dropout": [0.2, 0.4]}}}
    for other in ({"experiments": without}, {"seeds": 2}):
        assert not resolve(validated(CONFIG | other, "made up"), found).final


def test_the_plan_has_the_final_model_once_it_is_chosen():
    config = validated(CONFIG, "made up")
    before = resolve(config)
    assert (before.final, before.chooses_final) == (None, True)
    found = chosen(CONFIG, level)
    after = resolve(config, found)
    assert after.final.settings == before.baseline | found.settings
    assert after.final.epochs == 2
    assert {run.run for run in after.runs} == {run.run for run in before.runs} | {after.final.run}


def test_whatever_is_chosen_its_weights_are_kept():
    """A run is not trained again because it was read off at fewer epochs than it has."""
    runs = resolve(validated(CONFIG, "made up")).runs
    assert {tuple(run.kept_epochs) for run in runs} == {(4,), (2, 4)}


def test_a_choice_longer_than_the_run_it_equals_is_a_run_of_its_own():
    """The other has been trained, in the same call, before it was chosen."""
    config = validated(CONFIG, "made up")
    found = chosen(CONFIG, level)
    longer, shorter = (
        resolve(config, replace(found, settings={"dropout": 0.0, "epochs": epochs}))
        for epochs in (9, 2)
    )
    assert longer.final.run == f"final-{shorter.final.run}"
    assert {run.run: run.epochs for run in longer.runs}[longer.final.run] == 9
    assert shorter.final.run in {run.run for run in longer.runs}
