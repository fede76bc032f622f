"""The final model that results choose is made of each experiment's best value, with the reasons."""

import pytest

from madeup import make
from study import analysis, choice, plan, selection
from study.config import validated
from study.errors import StudyError

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
    return selection.choose(analysis.experiments(study.plan, study.summary))


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
    assert found.settings == {"dropout": 0.2}
    assert [reason.taken for reason in found.reasons] == [[], ["dropout"]]


def test_one_seed_gives_a_choice_without_a_test():
    found = chosen(CONFIG | {"seeds": 1}, level)
    assert found.settings["dropout"] == 0.0
    assert [reason.p for reason in found.reasons] == [None] * 3


def test_an_experiment_that_diverged_throughout_decides_nothing():
    experiments = CONFIG["experiments"] | {"wild": {"vary": {"momentum": [0.7, 0.8]}}}
    found = chosen(CONFIG | {"experiments": experiments}, level, diverged={"momentum": 5})
    assert "momentum" not in found.settings
    assert len(found.reasons) == 3
    with pytest.raises(StudyError, match="every replicate diverged"):
        chosen(
            CONFIG | {"experiments": {"wild": experiments["wild"]}}, level, diverged={"momentum": 5}
        )


def test_the_choice_comes_back_as_it_was_written(tmp_path):
    found = chosen(CONFIG, level)
    path = tmp_path / "choice.json"
    assert choice.read(path) is None
    path.write_text(found.to_json())
    assert choice.read(path) == found
    path.write_text("{}")
    assert choice.read(path) is None


def test_the_plan_has_the_final_model_once_it_is_chosen():
    config = validated(CONFIG, "made up")
    before = plan.resolve(config)
    assert (before.final, before.chooses_final) == (None, True)
    found = chosen(CONFIG, level)
    after = plan.resolve(config, found)
    assert after.final.settings == before.baseline | found.settings
    assert after.final.epochs == 2
    assert {run.run for run in after.runs} == {run.run for run in before.runs} | {after.final.run}


def test_whatever_is_chosen_its_weights_are_kept():
    """A run is not trained again because it was read off at fewer epochs than it has."""
    runs = plan.resolve(validated(CONFIG, "made up")).runs
    assert {tuple(run.kept_epochs) for run in runs} == {(4,), (2, 4)}


def test_a_choice_longer_than_the_run_it_equals_is_a_run_of_its_own():
    """The other has been trained, in the same call, before it was chosen."""
    config = validated(CONFIG, "made up")
    reasons = chosen(CONFIG, level).reasons
    longer = plan.resolve(config, choice.Choice({"dropout": 0.0, "epochs": 9}, reasons))
    shorter = plan.resolve(config, choice.Choice({"dropout": 0.0, "epochs": 2}, reasons))
    assert longer.final.run == f"final-{shorter.final.run}"
    assert {run.run: run.epochs for run in longer.runs}[longer.final.run] == 9
    assert shorter.final.run in {run.run for run in longer.runs}
