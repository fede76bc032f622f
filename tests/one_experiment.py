"""Made-up studies of a single experiment, for tests of what is found in it."""

import itertools

import numpy as np

import madeup
from study.results.experiments import ExperimentResult, ValueResult, experiments
from study.statistics.estimates import estimate

BASELINE = {"learning_rate": 0.001, "dropout": 0.2, "hidden": [128, 64], "epochs": 3}


def study_of(vary, accuracies, seeds=5, diverged=None, gain=0.01, name=None, final=None):
    """A study of one experiment whose n-th value ends at the n-th of `accuracies`.

    Each epoch before the last is `gain` lower than the next.
    """
    config = {
        "seeds": seeds,
        "baseline": BASELINE,
        "experiments": {name or "-".join(vary): {"vary": vary}},
    }
    if final:
        config["final"] = final
    combinations = [
        dict(zip(vary, combination, strict=True))
        for combination in itertools.product(*vary.values())
    ]

    def level(settings, epoch):
        last = BASELINE["epochs"]
        for combination, accuracy in zip(combinations, accuracies, strict=True):
            if all(settings.get(key) == value for key, value in combination.items()):
                return accuracy - gain * (last - epoch)
        return 0.9 - gain * (last - epoch)

    return madeup.make(config, level, diverged)


def experiment_of(*arguments, **options):
    study = study_of(*arguments, **options)
    return experiments(study.plan, study.summary)[0]


RATES = {"learning_rate": [0.0001, 0.001, 0.01, 0.1]}


def drawn(samples, key="learning_rate", items=None, baseline=None):
    """An experiment over `key` whose values have the accuracies in the rows of `samples`."""
    items = items or [0.001 * (i + 1) for i in range(len(samples))]
    values = []
    for item, row in zip(items, np.asarray(samples, float), strict=True):
        numbers = estimate(row)
        values.append(
            ValueResult(str(item), {key: item}, f"run-{item}", 1, len(row), 0, numbers, numbers)
        )
    return ExperimentResult(key, [key], {key: baseline}, values)
