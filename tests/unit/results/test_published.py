"""The published numbers are the document's, and stand beside results made in its way only."""

import pytest

from study.results import published

# Typed from the document's tables a second time: value, training and validation accuracy in per
# cent. A slip of the pen in resources/published.yaml would move every comparison of the report.
PRINTED = {
    "learning_rate": """
        0.0001  33.36 34.50
        0.001   68.92 73.79
        0.01    83.79 83.84""",
    "optimizer": """
        sgd     68.50 73.44
        adam    88.45 88.06""",
    "dropout": """
        0.0     75.38 75.01
        0.2     68.22 73.55
        0.4     63.02 73.27
        0.6     52.67 69.63""",
    "hidden": """
        64-32   64.98 72.79
        128-64  68.16 73.66
        256-128 71.49 73.93
        512-256 73.24 75.06""",
    "epochs": """
        5       59.21 69.65
        10      69.32 74.28
        15      72.41 75.22
        20      75.23 77.62
        30      77.92 79.63""",
    "batch_size": """
        32      77.72 79.35
        64      72.78 75.84
        100     68.80 72.85
        128     67.08 72.86
        256     51.80 61.74""",
}
PRINTED_BEST = """
    learning_rate 0.01    83.84
    optimizer     adam    88.06
    dropout       0.2     73.55
    hidden        512-256 75.06
    epochs        30      79.63
    batch_size    32      79.35"""
PRINTED_PROGRESS = """
    5  86.81 86.80
    10 88.29 87.47
    15 89.25 88.17
    20 89.81 87.86
    25 90.22 88.44
    30 -     87.99"""

BASELINE = {
    "optimizer": "sgd",
    "learning_rate": 0.001,
    "dropout": 0.2,
    "hidden": [128, 64],
    "batch_size": 100,
}
NEUTRAL = {
    "learning_rate_decay": 1.0,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "activation": "relu",
}
FINAL = BASELINE | {"optimizer": "adam", "batch_size": 32}


def cells(table):
    return [tuple(line.split()) for line in table.strip().splitlines()]


def value_text(value):
    return "-".join(map(str, value)) if isinstance(value, list) else str(value)


def per_cent(fraction):
    return "-" if fraction is None else f"{100 * fraction:.2f}"


def lookup(
    experiment="dropout", settings=BASELINE, epochs=10, dataset="FashionMNIST", split="test"
):
    return published.lookup(experiment, settings, epochs, dataset, split)


def test_rows_are_the_printed_tables():
    ours = [
        (
            row.experiment,
            value_text(row.value),
            per_cent(row.train_accuracy),
            per_cent(row.validation_accuracy),
        )
        for row in published.rows()
    ]
    printed = [(name, *line) for name, table in PRINTED.items() for line in cells(table)]
    assert ours == printed
    assert len(ours) == 23


def test_best_final_and_recommended_are_the_printed_ones():
    study = published.load()
    best = [
        (row.experiment, value_text(row.value), per_cent(row.validation_accuracy))
        for row in study.best
    ]
    progress = [
        (str(row.epoch), per_cent(row.train_accuracy), per_cent(row.validation_accuracy))
        for row in study.progress
    ]
    assert best == cells(PRINTED_BEST)
    assert progress == cells(PRINTED_PROGRESS)
    assert (study.final.settings, study.final.epochs) == (FINAL, 30)
    assert (study.final.train_accuracy, study.final.validation_accuracy) == (None, 0.8799)
    assert study.recommended == FINAL | {"hidden": [256, 128]}
    assert study.recommended_epochs == (20, 30)


def test_a_row_has_the_baseline_with_its_value_in_place():
    """The report tells a row's settings from here; only the varied one may differ."""
    assert published.load().baseline == BASELINE | {"epochs": 10}
    for experiment in published.load().experiments:
        for row in experiment.rows:
            varied = {experiment.key: row.value}
            full = BASELINE | {"epochs": 10} | varied
            assert row.settings | {"epochs": row.epochs} == full


def test_every_row_is_found_by_its_own_settings():
    """Each of the 23 rows and the final model has its published numbers in the summary."""
    for row in [*published.rows(), published.load().final]:
        settings = NEUTRAL | row.settings | {"epochs": row.epochs}
        assert lookup(row.experiment, settings, row.epochs) == row


@pytest.mark.parametrize(
    "settings",
    [
        BASELINE,
        BASELINE | NEUTRAL,
        BASELINE | {"hidden": (128, 64)},
        BASELINE | {"learning_rate": 1e-3, "weight_decay": 0},
    ],
    ids=["neutral left out", "neutral given", "hidden as tuple", "numbers written otherwise"],
)
def test_the_way_settings_are_written_does_not_matter(settings):
    assert lookup(settings=settings).validation_accuracy == 0.7355


@pytest.mark.parametrize(
    "unused", [{}, {"momentum": 0.0}, {"momentum": 0.9, "nesterov": True}], ids=str
)
def test_settings_that_adam_does_not_use_do_not_matter(unused):
    """A study with momentum in its baseline still trains the published Adam."""
    settings = BASELINE | {"optimizer": "adam"} | unused
    assert lookup("optimizer", settings).validation_accuracy == 0.8806


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": BASELINE | {"momentum": 0.9}},
        {"settings": BASELINE | {"weight_decay": 0.001}},
        {"settings": BASELINE | {"activation": "tanh"}},
        {"settings": BASELINE | {"learning_rate_decay": 0.9}},
        {"settings": BASELINE | {"label_smoothing": 0.1}},
        {"settings": BASELINE | {"dropout": 0.3}},
        {"settings": BASELINE | {"hidden": [128, 64, 32]}},
        {"settings": BASELINE | {"batch_size": 32}},
        {"epochs": 11},
        {"dataset": "MNIST"},
        {"split": 0.1},
        {"experiment": "weight_decay"},
        {"experiment": "final"},
    ],
    ids=str,
)
def test_other_trainings_have_no_published_row(changed):
    """A published number beside a training of another kind would mislead the reader."""
    assert lookup(**changed) is None


def test_the_baseline_has_each_experiments_own_number():
    """Six experiments repeat the baseline, and each printed its own result."""
    found = [lookup(name).validation_accuracy for name in PRINTED]
    assert found == [0.7379, 0.7344, 0.7355, 0.7366, 0.7428, 0.7285]


def test_the_final_model_counts_only_at_its_own_length():
    assert lookup("final", FINAL, 30).validation_accuracy == 0.8799
    assert lookup("final", FINAL, 30).train_accuracy is None
    assert lookup("final", FINAL, 25) is None
    assert lookup("final", FINAL | {"hidden": [256, 128]}, 30) is None


def test_noise_of_the_baseline():
    """By hand: deviations from 73.595 are .195 -.155 -.045 .065 .685 -.745, their squares sum to
    1.09255; over 5, the root is 0.46745 points."""
    noise = published.baseline_noise()
    assert noise.n == 6
    assert noise.mean == pytest.approx(0.73595)
    assert noise.sd == pytest.approx(0.0046745, abs=1e-7)
