"""What is trained in steps, together, interrupted or beside a diverging one is as from scratch."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from examples import FEW, random_images, run_settings, small_run, tensor_bytes, training_settings
from study.runs import checkpoint, models, replicates
from study.runs.checkpoint import Checkpoint, Target
from study.runs.replicates import Journal, Saver, extend
from study.spec.tasks import CLASSIFICATION

MEASURES = CLASSIFICATION.columns


class Folder:
    """A run's saved state and journal, as scripts/train.py keeps them."""

    def __init__(self, path):
        self.path = path / "state.safetensors"
        self.journal = path / "journal.jsonl"
        self.lines = []
        for old in (self.path, self.journal):
            old.unlink(missing_ok=True)

    def read(self):
        return (
            checkpoint.read_checkpoint(self.path)
            if self.path.exists()
            else Checkpoint({"code": "1"})
        )

    def extend(self, run, *request, log=None):
        """Extend what is saved; the state is read back from the file."""
        extend(
            run,
            self.read(),
            Target(*request),
            Saver(lambda reached: checkpoint.write(self.path, reached)),
            Journal(self.journal),
            log or self.lines.append,
        )
        return self.read()

    def journalled(self):
        entries = map(json.loads, self.journal.read_text().splitlines())
        return [(entry["epoch"], entry["seeds"]) for entry in entries]


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("run")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def from_scratch(run, seed, epochs):
    """One replicate, trained alone in one go and never saved."""
    made, unread = Checkpoint({}), Journal(Path(os.devnull))
    extend(run, made, Target([seed], epochs), Saver(id), unread, id)
    return made.replicates[seed]


def exact(replicate):
    """All that must be the same to the byte: everything but the seconds."""
    last = replicate.epochs
    return {
        "measures": replicate.measures[:, :5].tobytes(),
        "diverged": replicate.diverged,
        "tensors": tensor_bytes(replicate.tensors),
        "shapes": {name: np.shape(tensor) for name, tensor in replicate.tensors.items()},
        "weights": None if replicate.diverged else tensor_bytes(replicate.weights[last]),
    }


REQUESTS = st.lists(
    st.tuples(st.lists(st.integers(0, 5), min_size=1, max_size=4, unique=True), st.integers(1, 5)),
    min_size=1,
    max_size=4,
)


@FEW
@given(training_settings(), REQUESTS, st.integers(2, 4))
@example(
    run_settings(optimizer="sgd", momentum=0.9, hidden=[8], batch_size=16),
    [([0], 1), ([0, 1], 3), ([2, 1, 0], 5)],
    10,
)
@example(
    run_settings(optimizer="adam", dropout=0.5, hidden=[8], batch_size=16),
    [([0, 1], 2), ([1, 2], 4), ([0, 1, 2], 5)],
    10,
)
def test_any_sequence_of_extensions_gives_what_training_from_scratch_does(
    shared_folder, settings, requests, largest_stack
):
    """Each extension goes on from the file that the one before left."""
    run = small_run(settings)
    folder = Folder(shared_folder)
    reached = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "LARGEST_STACK", largest_stack)
        for seeds, epochs in requests:
            made = folder.extend(run, seeds, epochs)
            reached |= {seed: max(epochs, reached.get(seed, 0)) for seed in seeds}
    assert sorted(made.replicates) == sorted(reached)
    for seed, epochs in reached.items():
        assert made.replicates[seed].epochs == epochs
        assert exact(made.replicates[seed]) == exact(from_scratch(run, seed, epochs))
    trained = [(seed, epoch) for epoch, seeds in folder.journalled() for seed in seeds]
    assert sorted(trained) == [
        (seed, epoch) for seed in sorted(reached) for epoch in range(1, reached[seed] + 1)
    ]


class InterruptionError(Exception):
    pass


@FEW
@given(training_settings(), st.lists(st.integers(1, 4), max_size=4))
def test_interrupted_at_any_epochs_nothing_is_lost_or_trained_twice(
    shared_folder, settings, interruptions
):
    run = small_run(settings)
    folder = Folder(shared_folder)
    for lasting in interruptions:
        seen = []

        def interrupting(line, lasting=lasting, seen=seen):
            seen.append(line)
            if len(seen) == lasting:
                raise InterruptionError

        try:
            folder.extend(run, [0, 1], 5, log=interrupting)
        except InterruptionError:
            assert folder.read().replicates[0].epochs == len(folder.journalled())
    made = folder.extend(run, [0, 1], 5)
    for seed in (0, 1):
        assert exact(made.replicates[seed]) == exact(from_scratch(run, seed, 5))
    assert [epoch for epoch, _ in folder.journalled()] == [1, 2, 3, 4, 5]


def test_an_epoch_that_fails_in_its_middle_leaves_the_one_before(folder, monkeypatch):
    run = small_run(run_settings(hidden=[8], batch_size=16, optimizer="adam"))
    evaluate = replicates.Trainer.evaluate

    def failing(trainer, images):
        if trainer.epoch == 3:
            raise MemoryError
        return evaluate(trainer, images)

    with monkeypatch.context() as patch:
        patch.setattr(replicates.Trainer, "evaluate", failing)
        with pytest.raises(MemoryError):
            folder.extend(run, [0], 5)
    assert folder.read().replicates[0].epochs == 2
    assert exact(folder.extend(run, [0], 5).replicates[0]) == exact(from_scratch(run, 0, 5))


def test_nothing_is_trained_that_is_there(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    before = folder.extend(run, [0, 1, 2], 3)
    for fewer in [([0, 1, 2], 3), ([1], 3), ([2, 0], 1)]:
        after = folder.extend(run, *fewer)
    assert len(folder.journalled()) == 3
    for seed in (0, 1, 2):
        assert exact(after.replicates[seed]) == exact(before.replicates[seed])


def test_replicates_that_stand_elsewhere_are_left_as_they_are(folder):
    """Fewer epochs or seeds asked for is no reason to forget."""
    run = small_run(run_settings(hidden=[8], batch_size=16))
    before = folder.extend(run, [0, 1], 4)
    after = folder.extend(run, [2], 2)
    for seed in (0, 1):
        assert exact(after.replicates[seed]) == exact(before.replicates[seed])


def test_the_measures_are_those_of_training_and_judging():
    run = small_run(run_settings(hidden=[8], batch_size=16, dropout=0.2))
    made = from_scratch(run, 3, 2)
    trainer = run.trainer([3])
    for row in made.measures:
        learned = trainer.train_epoch(run.train)
        judged, judged_train = trainer.evaluate(run.validation), trainer.evaluate(run.train)
        expected = (learned["loss"], learned["accuracy"], judged["loss"], judged["accuracy"])
        assert [[value] for value in row[:5]] == [*expected, judged_train["accuracy"]]
        assert row[5] > 0


def test_train_eval_accuracy_is_that_of_the_first_training_images(monkeypatch):
    monkeypatch.setattr(replicates, "TRAIN_EVALUATION", 10)
    run = small_run(run_settings(hidden=[8], batch_size=16))
    trainer = run.trainer([0])
    trainer.train_epoch(run.train)
    expected = trainer.evaluate(run.train.first(10))["accuracy"][0]
    assert from_scratch(run, 0, 1).measures[0, 4] == expected


# Divergence is a result.


def test_a_rate_of_1000_is_recorded_as_diverged_with_its_last_row(folder):
    run = small_run(
        run_settings(hidden=[8, 8], batch_size=4, learning_rate=1000.0, activation="elu")
    )
    made = folder.extend(run, [0, 1, 2], 30)
    assert all(replicate.diverged for replicate in made.replicates.values())
    for replicate in made.replicates.values():
        assert 1 <= replicate.epochs < 30
        assert np.isfinite(replicate.measures[:-1]).all()
        assert (replicate.tensors, replicate.kept, replicate.weights) == ({}, {}, {})
    assert any("diverged in epoch" in line for line in folder.lines)
    trained = len(folder.journalled())
    folder.extend(run, [0, 1, 2], 40)
    assert len(folder.journalled()) == trained


def test_diverging_replicates_disturb_no_other(folder, monkeypatch):
    run = small_run(run_settings(hidden=[8], batch_size=16, optimizer="adam", dropout=0.3))
    train_epoch = replicates.Trainer.train_epoch

    def diverging(trainer, images):
        judged = train_epoch(trainer, images)
        for seed, epoch in ((0, 2), (3, 3)):
            if seed in trainer.seeds and trainer.epoch == epoch:
                trainer.model.parameters[trainer.seeds.index(seed), 5] = np.inf
        return judged

    with monkeypatch.context() as patch:
        patch.setattr(replicates.Trainer, "train_epoch", diverging)
        made = folder.extend(run, [0, 1, 2, 3], 4)
    assert folder.journalled() == [
        (1, [0, 1, 2, 3]),
        (2, [0, 1, 2, 3]),
        (3, [1, 2, 3]),
        (4, [1, 2]),
    ]
    assert [made.replicates[seed].epochs for seed in range(4)] == [2, 4, 4, 3]
    assert [made.replicates[seed].diverged for seed in range(4)] == [True, False, False, True]
    for seed in (1, 2):
        assert exact(made.replicates[seed]) == exact(from_scratch(run, seed, 4))


def test_a_diverged_replicate_has_the_same_rows_alone_and_beside_others(folder):
    run = small_run(
        run_settings(hidden=[8, 8], batch_size=4, learning_rate=1000.0, activation="elu")
    )
    folder.extend(run, [4, 5], 1)
    made = folder.extend(run, [5, 4, 6], 6)
    for seed in (4, 5, 6):
        assert exact(made.replicates[seed]) == exact(from_scratch(run, seed, 6))


# What the final model needs.


@pytest.mark.parametrize("averaging", [0.0, 0.9])
def test_the_weights_at_the_final_model_s_epoch_are_kept_however_far_the_run_goes(
    folder, averaging
):
    run = small_run(run_settings(hidden=[8], batch_size=16, weight_averaging=averaging))
    third = from_scratch(run, 0, 3).weights[3]["parameters"]
    for way in ("in one go", "when it was at that epoch already"):
        if way == "in one go":
            folder.extend(run, [0], 4, [3])
        else:
            folder.extend(run, [1], 3)
            folder.extend(run, [1], 4, [3])
            third = from_scratch(run, 1, 3).weights[3]["parameters"]
        replicate = folder.read().replicates[0 if way == "in one go" else 1]
        assert list(replicate.weights) == [3, 4]
        assert np.array_equal(replicate.weights[3]["parameters"], third)
        assert not np.array_equal(replicate.weights[4]["parameters"], third)


def test_a_final_model_at_the_last_epoch_needs_nothing_that_is_not_there(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    folder.extend(run, [0], 3)
    trained = folder.journalled()
    assert list(folder.extend(run, [0], 3, [3]).replicates[0].weights) == [3]
    assert folder.journalled() == trained


def test_a_final_model_at_an_epoch_gone_by_is_trained_again_and_is_the_same(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16, dropout=0.2))
    before = folder.extend(run, [0, 1], 4)
    after = folder.extend(run, [0, 1], 4, [2])
    for seed in (0, 1):
        assert exact(after.replicates[seed]) == exact(before.replicates[seed])
        assert 2 in after.replicates[seed].kept


def test_a_final_model_at_an_epoch_gone_by_is_there_after_more_epochs_too(folder):
    """Else the run is 'finished' without what the final figures read."""
    run = small_run(run_settings(hidden=[8], batch_size=16))
    folder.extend(run, [0], 3)
    assert 2 in folder.extend(run, [0], 5, [2]).replicates[0].kept


def test_training_again_for_weights_loses_no_epoch_when_interrupted(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    folder.extend(run, [0], 5)

    def interrupting(line):
        raise InterruptionError

    with pytest.raises(InterruptionError):
        folder.extend(run, [0], 2, [2], log=interrupting)
    assert folder.extend(run, [0], 2, [2]).replicates[0].epochs == 5


def test_a_signal_in_the_midst_of_the_last_saving_loses_nothing(folder, monkeypatch):
    """SIGTERM raises SystemExit wherever the program stands."""
    monkeypatch.setattr(replicates, "SAVING_SHARE", 1e9)
    run = small_run(run_settings(hidden=[8], batch_size=16))
    made, calls = Checkpoint({}), []

    def write(reached):
        calls.append(len(calls))
        if len(calls) == 2:
            raise SystemExit(143)
        checkpoint.write(folder.path, reached)

    with pytest.raises(SystemExit):
        extend(run, made, Target([0], 4), Saver(write), Journal(folder.journal), id)
    assert folder.read().replicates[0].epochs == 4


# Where it is trained.


def test_an_unfinished_replicate_of_another_device_is_trained_anew(folder):
    settings = run_settings(hidden=[8], batch_size=16)
    run, other = small_run(settings), small_run(settings, kind="cuda Some GPU")
    folder.extend(other, [0, 1], 2)
    made = folder.extend(run, [0, 2], 3)
    assert [made.replicates[seed].device for seed in (0, 1, 2)] == [
        "cpu test",
        "cuda Some GPU",
        "cpu test",
    ]
    assert any("cuda Some GPU" in line and "seed 0" in line for line in folder.lines)
    assert folder.journalled()[2:] == [(1, [0, 2]), (2, [0, 2]), (3, [0, 2])]
    assert exact(made.replicates[0]) == exact(from_scratch(run, 0, 3))


def test_a_finished_replicate_of_another_device_is_kept(folder):
    settings = run_settings(hidden=[8], batch_size=16)
    folder.extend(small_run(settings, kind="cuda Some GPU"), [0], 3)
    made = folder.extend(small_run(settings), [0], 2)
    assert made.replicates[0].device == "cuda Some GPU"
    assert len(folder.journalled()) == 3


def by_arithmetic(settings, digest):
    return dataclasses.replace(small_run(settings), arithmetic=digest)


def test_an_unfinished_replicate_of_other_arithmetic_is_trained_anew(folder):
    settings = run_settings(hidden=[8], batch_size=16)
    run = by_arithmetic(settings, "22")
    folder.extend(by_arithmetic(settings, "11"), [0, 1], 2)
    made = folder.extend(run, [0, 2], 3)
    assert [made.replicates[seed].arithmetic for seed in (0, 1, 2)] == ["22", "11", "22"]
    assert any("11" in line and "seed 0" in line for line in folder.lines)
    assert folder.journalled()[2:] == [(1, [0, 2]), (2, [0, 2]), (3, [0, 2])]
    assert exact(made.replicates[0]) == exact(from_scratch(run, 0, 3))


def test_a_finished_replicate_of_other_arithmetic_is_kept(folder):
    settings = run_settings(hidden=[8], batch_size=16)
    folder.extend(by_arithmetic(settings, "11"), [0], 3)
    made = folder.extend(by_arithmetic(settings, "22"), [0], 2)
    assert made.replicates[0].arithmetic == "11"
    assert len(folder.journalled()) == 3


def test_one_from_before_there_were_digests_goes_on_and_says_then_how(folder):
    settings = run_settings(hidden=[8], batch_size=16)
    folder.extend(small_run(settings), [0], 2)
    assert "arithmetic" not in folder.path.read_bytes().decode("latin-1")
    made = folder.extend(by_arithmetic(settings, "22"), [0], 3)
    assert made.replicates[0].arithmetic == "22"
    assert folder.journalled() == [(1, [0]), (2, [0]), (3, [0])]


@pytest.mark.parametrize("before", ["", "11"])
def test_a_replicate_of_another_library_is_trained_anew_and_told(folder, before):
    settings = run_settings(hidden=[8], batch_size=16)
    folder.extend(by_arithmetic(settings, before), [0], 2)
    run = by_arithmetic(settings, "onednn 11")
    made = folder.extend(run, [0], 3)
    assert made.replicates[0].arithmetic == "onednn 11"
    told = f"seed 0 was trained by other arithmetic ({before or 'mkl'}, here onednn 11)"
    assert any(told in line for line in folder.lines)
    assert folder.journalled()[2:] == [(1, [0]), (2, [0]), (3, [0])]
    assert exact(made.replicates[0]) == exact(from_scratch(run, 0, 3))


# Stacks, journal, log and saving.


def test_a_stack_holds_no_more_than_its_largest(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    made = folder.extend(run, range(12), 1)
    assert [len(seeds) for _, seeds in folder.journalled()] == [10, 2]
    assert exact(made.replicates[11]) == exact(from_scratch(run, 11, 1))


def test_the_journal_says_what_was_trained_when_and_by_whom(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    folder.extend(run, [0], 1)
    folder.extend(run, [0, 1], 2)
    entries = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    assert [(entry["epoch"], entry["seeds"]) for entry in entries] == [
        (1, [0]),
        (1, [1]),
        (2, [1]),
        (2, [0]),
    ]
    assert {entry["pid"] for entry in entries} == {os.getpid()}
    times = [entry["time"] for entry in entries]
    assert times == sorted(times)
    assert all(set(entry) == {"epoch", "seeds", "time", "pid", *MEASURES} for entry in entries)


def test_the_journal_has_the_means_of_what_each_epoch_measured(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    made = folder.extend(run, [0, 1], 2)
    entries = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    means = np.mean([replicate.measures for replicate in made.replicates.values()], axis=0)
    told = [[entry[name] for name in MEASURES] for entry in entries]
    assert np.array_equal(told, means)


def test_a_measure_that_is_no_number_is_null_in_the_journal(folder):
    """JSON has no NaN, and the journal is read by other programs."""
    Journal(folder.journal).add(
        1, [0], dict(zip(MEASURES, [np.nan, np.inf, 1.0, 0.5, 0.5, 2.0], strict=True))
    )
    [entry] = map(json.loads, folder.journal.read_text().splitlines())
    assert [entry[name] for name in MEASURES] == [None, None, 1.0, 0.5, 0.5, 2.0]


def test_the_log_has_a_line_an_epoch(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16))
    folder.extend(run, [0, 7], 2)
    assert len(folder.lines) == 2
    assert folder.lines[0].startswith("epoch 1/2  seeds 0,7  train loss ")
    assert "validation loss" in folder.lines[1]


class Clock:
    """A monotonic clock that stands still but for what the test and saving take."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(replicates.time, "monotonic", lambda: self.now)


def test_saving_takes_at_most_a_fiftieth_of_the_time(monkeypatch):
    clock = Clock(monkeypatch)
    saved = []

    def write(reached):
        saved.append(clock.now)
        clock.now += 0.5

    saver = Saver(write)
    for _ in range(1000):
        clock.now += 1.0
        saver.save_if_due(Checkpoint({}))
    assert saved[0] == 101.0
    assert len(saved) * 0.5 <= 0.02 * clock.now + 0.5
    assert len(saved) > 30


def test_the_state_is_saved_at_the_end_however_seldom_it_is_due(folder, monkeypatch):
    monkeypatch.setattr(replicates, "SAVING_SHARE", 1e9)
    run = small_run(run_settings(hidden=[8], batch_size=16))
    assert folder.extend(run, [0], 4).replicates[0].epochs == 4


def test_a_saved_state_is_of_bounded_size(folder):
    """Weights and optimizer state, not the images, and no memory of the stack."""
    run = small_run(run_settings(hidden=[64], batch_size=16, optimizer="adam"), features=64)
    folder.extend(run, [0], 2)
    parameters = 64 * 64 + 64 + 64 * 4 + 32
    assert folder.path.stat().st_size < 3 * 4 * parameters + 4000


def test_images_are_never_changed(folder):
    run = small_run(run_settings(hidden=[8], batch_size=16, dropout=0.2))
    folder.extend(run, [0], 2)
    assert np.array_equal(run.train.inputs, random_images(37).inputs)
