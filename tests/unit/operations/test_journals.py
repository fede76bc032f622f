"""A learning curve is read rightly from a journal, however often training was stopped."""

import json
from dataclasses import replace

from finished import planned
from study.operations import journals

RUN = planned(seeds=2, baseline={"epochs": 4, "hidden": [4]}).runs[0]
SCORE, LOSS = "validation_accuracy", "validation_loss"


def curve(tmp_path, *entries, run=RUN):
    """Epoch, seeds and score of each point; `entries` are epochs, seeds and scores."""
    folder = tmp_path / run.run
    folder.mkdir(exist_ok=True)
    with (folder / journals.NAME).open("w", encoding="utf-8") as file:
        for epoch, seeds, score in entries:
            entry = {"epoch": epoch, "seeds": seeds, "time": 1.0, "pid": 1}
            file.write(json.dumps(entry | {SCORE: score, LOSS: 1.0}) + "\n")
    points = journals.curve(tmp_path, run, (SCORE, LOSS))
    return [(point.epoch, point.seeds, point.means[SCORE]) for point in points]


def test_without_a_journal_there_is_no_curve(tmp_path):
    assert journals.curve(tmp_path, RUN, (SCORE,)) == []


def test_a_stack_tells_its_mean(tmp_path):
    assert curve(tmp_path, (1, [0, 1], 0.5), (2, [0, 1], 0.6)) == [(1, 2, 0.5), (2, 2, 0.6)]


def test_each_seed_counts_once(tmp_path):
    run = replace(RUN, seeds=[0, 1, 2])
    found = curve(tmp_path, (1, [0, 1], 0.5), (1, [2], 0.8), run=run)
    assert [(epoch, seeds, round(score, 6)) for epoch, seeds, score in found] == [(1, 3, 0.6)]


def test_what_is_trained_again_is_void_from_there_on(tmp_path):
    """Epochs 2 and 3 were lost with a kill; until they are trained again nobody knows them."""
    before = [(1, [0, 1], 0.1), (2, [0, 1], 0.2), (3, [0, 1], 0.3)]
    assert curve(tmp_path, *before, (2, [0, 1], 0.9)) == [(1, 2, 0.1), (2, 2, 0.9)]
    assert curve(tmp_path, *before, (1, [0, 1], 0.9)) == [(1, 2, 0.9)]


def test_what_is_not_asked_for_is_left_out(tmp_path):
    """Other seeds, and epochs beyond the last."""
    found = curve(tmp_path, (4, [0, 1], 0.4), (5, [0, 1], 0.5), (4, [7], 0.9))
    assert found == [(4, 2, 0.4)]


def test_a_seed_that_diverged_is_left_out_from_then_on(tmp_path):
    found = curve(tmp_path, (1, [0, 1], 0.5), (2, [0, 1], None), (3, [0], 0.6))
    assert found == [(1, 2, 0.5), (3, 1, 0.6)]
