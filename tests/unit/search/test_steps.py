"""What a search does next: draws that follow from what is known, and the best that go on."""

import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from study.search import importance, trials
from study.search.samplers import Measured, draw
from study.search.steps import Scores, best, contenders, take, winner
from study.spec.models import MLP
from study.spec.searches import EarlierTrial, Search, Step, Trial, steps_of
from study.support.errors import StudyError

SPACE = {
    "learning_rate": {"low": 0.0001, "high": 1.0, "log": True},
    "batch_size": {"low": 16, "high": 128, "step": 16, "log": False},
    "hidden": [[16], [32, 16]],
    "optimizer": ["sgd", "adam"],
    "momentum": {"low": 0.0, "high": 0.9, "log": False},
}

SAMPLERS = ["tpe", "gp", "qmc", "random"]


def made(sampler="random", space=SPACE, count=12, seeds=(0, 1), halving=None, **other) -> Search:
    settings = MLP.hyperparameters.complete({"epochs": 4})
    steps = steps_of(count, 3, 4, list(seeds), halving, 2)
    return Search("tuned", settings, space, sampler, 0, steps=steps, **other)


def scored(drawn) -> Measured:
    return Measured(drawn, 1.0 - abs(np.log10(drawn.get("learning_rate", 1.0)) + 2))


def drawn_in_rounds(search, rounds, count=3):
    known = []
    for _ in range(rounds):
        known += [scored(drawn) for drawn in draw(search, known, count)]
    return [each.settings for each in known]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_draws_lie_in_the_space_and_are_the_same_again(sampler):
    search = made(sampler)
    found = drawn_in_rounds(search, 4)
    assert found == drawn_in_rounds(search, 4)
    assert found != drawn_in_rounds(replace(search, seed=1), 4)
    for each in found:
        assert 0.0001 <= each["learning_rate"] <= 1.0
        assert each["batch_size"] in range(16, 129, 16)
        assert each["hidden"] in SPACE["hidden"]
        assert ("momentum" in each) == (each["optimizer"] == "sgd")
        assert each["learning_rate"] == float(f"{each['learning_rate']:.4g}")


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_a_sampler_that_learns_draws_by_what_is_known(sampler):
    """Beyond its first, random draws, most lie nearer to the best than chance would have them."""
    space = {"learning_rate": SPACE["learning_rate"]}
    known = [scored(each) for each in draw(made("random", space), [], 12)]
    far = [
        abs(np.log10(each["learning_rate"]) + 2) for each in draw(made(sampler, space), known, 8)
    ]
    assert np.median(far) < 0.5


def test_how_a_trial_came_out_changes_what_comes_next_and_its_round_does_not_know():
    search = made("tpe")
    known = [scored(each) for each in draw(search, [], 12)]
    first = draw(search, known, 3)
    assert draw(search, known, 1) == first[:1]
    other = [replace(each, score=-each.score) for each in known]
    assert draw(search, other, 3) != first


@pytest.mark.parametrize("sampler", [*SAMPLERS, "grid"])
def test_a_space_that_ends_is_drawn_once_and_whole(sampler):
    space = {"optimizer": ["sgd", "adam"], "momentum": [0.0, 0.5]}
    found = drawn_in_rounds(made(sampler, space), 3)
    # Adam has no momentum.
    assert sorted(map(str, found)) == sorted(
        map(
            str,
            [
                {"optimizer": "sgd", "momentum": 0.0},
                {"optimizer": "sgd", "momentum": 0.5},
                {"optimizer": "adam"},
            ],
        )
    )


@pytest.mark.parametrize("sampler", [*SAMPLERS, "grid"])
def test_what_cannot_be_trained_is_drawn_again(sampler):
    def problem(drawn):
        return "no Adam" if drawn["optimizer"] == "adam" else None

    space = {"optimizer": ["sgd", "adam"], "batch_size": [16, 32, 64]}
    found = draw(made(sampler, space), [], 3, problem)
    assert {each["optimizer"] for each in found} == {"sgd"}
    assert len(found) == 3


def test_where_nothing_can_be_trained_the_reason_is_told():
    with pytest.raises(StudyError, match=r"search\.tuned: nothing in its space .*: too slow"):
        draw(made(), [], 3, lambda drawn: "too slow")


def test_a_diverged_trial_is_the_worst_of_all():
    search = made("tpe", {"learning_rate": SPACE["learning_rate"]})
    known = [scored(each) for each in draw(made("random"), [], 12)]
    known = [
        Measured({"learning_rate": each.settings["learning_rate"]}, each.score) for each in known
    ]
    ranked = sorted(known, key=lambda each: each.score)
    diverged = [Measured(each.settings, None) if each is ranked[0] else each for each in known]
    worst = [replace(each, score=ranked[1].score) if each is ranked[0] else each for each in known]
    assert draw(search, diverged, 3) == draw(search, worst, 3)


@pytest.mark.parametrize("sampler", ["tpe", "gp"])
def test_a_sampler_draws_by_the_trials_of_another_study(sampler):
    space = {"learning_rate": SPACE["learning_rate"]}
    drawn = map(scored, draw(made("random", space), [], 12))
    earlier = [EarlierTrial(each.settings, each.score) for each in drawn]
    search = made(sampler, space, earlier=earlier)
    found = draw(search, [], 8)
    assert found != draw(replace(search, earlier=[]), [], 8)
    assert np.median([abs(np.log10(each["learning_rate"]) + 2) for each in found]) < 0.5


def test_what_another_study_had_may_be_drawn_and_is_no_trial():
    space = {"optimizer": ["sgd", "adam"]}
    earlier = [EarlierTrial({"optimizer": "sgd"}, 0.9), EarlierTrial({"optimizer": "adam"}, 0.1)]
    search = made("tpe", space, count=2, earlier=earlier)
    found, scores = to_the_end(search)
    assert sorted(trial.settings["optimizer"] for trial in found.trials) == ["adam", "sgd"]
    assert winner(found, scores).trial.number == 1


# Taken to their end, on made-up records.

COLUMNS = ["run", "seed", "epoch", "status", "validation_accuracy"]


def rows_of(search, level, diverged=()):
    """Rows of metrics.parquet of all that the search has asked for so far."""
    rows = []
    for trial in search.trials:
        for seed in trial.seeds:
            for epoch in range(1, trial.epochs + 1):
                lost = trial.number in diverged and epoch == trial.epochs
                accuracy = level(trial, seed, epoch)
                status = "diverged" if lost else "ok"
                rows.append((trial.run, seed, epoch, status, np.nan if lost else accuracy))
    return pd.DataFrame(rows, columns=COLUMNS)


def named(settings):
    return str(sorted(settings.items()))


def rated(trial, seed, epoch):
    return 0.5 + 0.01 * trial.number + 0.001 * epoch - 0.0001 * seed


def to_the_end(search, level=rated, diverged=()):
    for _ in search.steps:
        scores = Scores(rows_of(search, level, diverged))
        search = replace(search, taken=[*search.taken, take(search, scores, MLP, named)])
    return search, Scores(rows_of(search, level, diverged))


def test_the_best_go_on_and_the_winner_has_all_epochs_and_seeds():
    halving = {"min_epochs": 1, "reduction_factor": 3}
    search, scores = to_the_end(made(halving=halving))
    asked = {step.name: taken.asked for step, taken in zip(search.steps, search.taken, strict=True)}
    assert asked["epochs-0003"] == [11, 10, 9, 8]
    assert asked["epochs-0004"] == [11, 10]
    assert asked["seeds-0002"] == [11, 10]
    won = winner(search, scores)
    assert won.trial.number == 11
    assert (won.trial.epochs, won.trial.seeds) == (4, [0, 1])
    assert won.score == pytest.approx(0.5 + 0.11 + 0.004 - 0.00005)


def test_of_equal_trials_the_earlier_goes_on():
    search, _ = to_the_end(made(), lambda trial, seed, epoch: 0.5)
    assert search.taken[-1].asked == [0, 1]


def test_a_trial_that_is_clearly_behind_gets_no_further_seeds():
    """Three that cannot be told apart, and five that are far below them."""

    def level(trial, seed, epoch):
        lot = random.Random(f"{trial.number} {seed}")
        return 0.8 + 0.1 * (trial.number < 3) + lot.gauss(0, 0.01)

    steps = [Step("trials-0001", 8, 0, 1, [0])]
    steps += [Step(f"seeds-{n:04d}", 0, 8, 1, list(range(n))) for n in range(2, 6)]
    search, _ = to_the_end(replace(made(), steps=steps), level)
    asked = [sorted(taken.asked) for taken in search.taken]
    # One seed tells nothing of how far seeds lie apart.
    assert asked[0] == asked[1] == list(range(8))
    assert asked[2] == [0, 1, 2]
    assert set(asked[-1]) <= {0, 1, 2}


def test_of_trials_without_any_noise_the_best_alone_gets_further_seeds():
    search, scores = to_the_end(made(seeds=[0, 1, 2]), lambda trial, seed, epoch: trial.number)
    assert [len(taken.asked) for taken in search.taken[-2:]] == [3, 1]
    assert winner(search, scores).trial.seeds == [0, 1, 2]


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_the_best_of_all_seeds_is_seldom_left_out(gap):
    """Of ten equal ones, and where they differ."""
    lots = np.random.default_rng(0)
    lost = 0
    for _ in range(400):
        values = lots.normal(0, 1, (10, 5)) + gap * np.arange(10)[:, None]
        drawn = [Trial(n, "trials-0001", {}, f"run {n}", 1, [0, 1]) for n in range(10)]
        rows = [(f"run {n}", seed, 1, "ok", values[n, seed]) for n in range(10) for seed in (0, 1)]
        scores = Scores(pd.DataFrame(rows, columns=COLUMNS))
        ranked = sorted(drawn, key=lambda trial: -scores.of(trial))
        left = {trial.number for trial in contenders(ranked, scores, 5)}
        lost += int(values.mean(axis=1).argmax()) not in left
    assert lost <= 0.03 * 400


def test_a_diverged_trial_never_goes_on():
    search, scores = to_the_end(made(), diverged={11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1})
    assert search.taken[-1].asked == [0]
    assert winner(search, scores).trial.number == 0
    states = [each.state for each in trials.scored(search, scores)]
    assert states == ["complete"] + 11 * ["diverged"]


def test_where_all_diverged_there_is_no_winner():
    search, scores = to_the_end(made(), diverged=range(12))
    assert search.taken[-1].asked == []
    assert winner(search, scores) is None
    assert best(search, scores) == []


def test_the_table_has_a_row_for_each_trial():
    search, scores = to_the_end(made(halving={"min_epochs": 1} | {"reduction_factor": 3}))
    found = trials.scored(search, scores)
    table = trials.table(search, found, MLP.hyperparameters).to_pydict()
    assert table["number"] == list(range(12))
    assert table["round"] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert table["state"] == 10 * ["pruned"] + 2 * ["complete"]
    assert table["epochs"] == 8 * [1] + 2 * [3] + 2 * [4]
    assert table["seeds"] == 10 * [[0]] + 2 * [[0, 1]]
    assert table["value"][0] == pytest.approx(0.501)
    settings = [each.trial.settings for each in found]
    assert table["momentum"] == [each.get("momentum") for each in settings]
    assert table["hidden_text"] == ["-".join(map(str, each["hidden"])) for each in settings]
    assert [each.trial.number for each in trials.ranked(found)][:3] == [11, 10, 9]


def test_the_shares_of_settings_are_those_of_the_scores_and_noise_is_told_apart():
    space = {key: SPACE[key] for key in ("learning_rate", "batch_size", "hidden")}
    noise = random.Random(0)

    def level(trial, seed, epoch):
        drawn = trial.settings
        hidden = 0.03 * space["hidden"].index(drawn["hidden"])
        return (
            0.8 - 0.05 * abs(np.log10(drawn["learning_rate"]) + 2) + hidden + noise.gauss(0, 1e-3)
        )

    search, scores = to_the_end(made(space=space, count=60, seeds=[0]), level)
    found = importance.importance(search, trials.scored(search, scores))
    assert [each.setting for each in found] == ["learning_rate", "hidden", "batch_size"]
    assert [each.is_clear for each in found] == [True, True, False]
    # Main effects of the level over the space: of |x + 2|, x even from -4 to 0, and of 0 or 0.03.
    exact = np.array([0.05**2 * 4 / 12, 0.015**2])
    shares = exact / exact.sum()
    assert [each.share for each in found[:2]] == pytest.approx(shares, abs=0.12)
    assert all(each.low <= each.share <= each.high for each in found)


def test_of_few_trials_nothing_is_said():
    search, scores = to_the_end(made(count=9, seeds=[0]))
    assert importance.importance(search, trials.scored(search, scores)) == []
