"""The final model on the official test images: what its networks say, and what that amounts to.

Of classes it is an Evaluation, of quantities Predictions (predictions.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from study.data import datasets
from study.data.base import Classes, Data
from study.data.scaling import Spread, of_inputs, of_targets
from study.final import inference, weights
from study.final.predictions import Predictions
from study.final.provenance import Provenance
from study.runs import models
from study.spec import schemas
from study.spec.models import Model
from study.spec.plan import Plan
from study.spec.settings import Settings
from study.statistics import calibration, classification
from study.statistics.intervals import SHARE, of_differences, t_interval
from study.statistics.uncertainty import Interval, MeanOfSeeds, bootstrap_images, mean_of_seeds
from study.support.errors import StudyError

MOST_CONFUSED = 10


# What describes an evaluation, as `read` takes it.
_FORM = {
    "type": "object",
    "properties": {
        "run": {"type": "string"},
        "epoch": {"type": "integer", "minimum": 1},
        "seeds": {"type": "array", "items": {"type": "integer", "minimum": 0}, "uniqueItems": True},
        "dataset": {"type": "string"},
        "digest": {"type": "string"},
    },
    "additionalProperties": False,
    "required": ["run", "epoch", "seeds", "dataset", "digest"],
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The class `probabilities` (seeds, images, classes) float32, and the `labels` (images,).

    Only `provenance` can be asked for where there are no seeds.
    """

    kind: ClassVar[str] = "probabilities"

    provenance: Provenance
    probabilities: np.ndarray
    labels: np.ndarray

    @property
    def answers(self) -> np.ndarray:
        """The probabilities."""
        return self.probabilities

    @property
    def seeds(self) -> list[int]:
        """The seeds evaluated."""
        return self.provenance.seeds

    @property
    def class_count(self) -> int:
        return self.probabilities.shape[2]

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class, (seeds, images)."""
        return self.probabilities.argmax(axis=2)

    @cached_property
    def confidence(self) -> np.ndarray:
        """The probability of the predicted class, (seeds, images)."""
        return self.probabilities.max(axis=2)

    @cached_property
    def correct(self) -> np.ndarray:
        """Whether the predicted class is the right one, (seeds, images)."""
        return self.predicted == self.labels

    @property
    def scores_by_seed(self) -> np.ndarray:
        """The accuracies, (seeds,)."""
        return self.correct.mean(axis=1)

    @cached_property
    def accuracy(self) -> MeanOfSeeds:
        """The share of images that are classified rightly."""
        return mean_of_seeds(self.correct.astype(float))

    @property
    def score(self) -> MeanOfSeeds:
        """The accuracy."""
        return self.accuracy

    @property
    def ensemble_score(self) -> tuple[float, Interval]:
        """The ensemble's accuracy."""
        return self.ensemble_accuracy

    @cached_property
    def overconfidence(self) -> MeanOfSeeds:
        """Mean probability of the predicted class minus accuracy."""
        excess = self.confidence - self.correct.astype(float)
        return mean_of_seeds(excess, of_differences(SHARE))

    @cached_property
    def ensemble_predicted(self) -> np.ndarray:
        """The class for which the mean of the seeds' probabilities is highest, (images,)."""
        return self.probabilities.mean(axis=0).argmax(axis=1)

    @cached_property
    def ensemble_correct(self) -> np.ndarray:
        """Whether the ensemble's class is the right one, (images,)."""
        return self.ensemble_predicted == self.labels

    @cached_property
    def ensemble_accuracy(self) -> tuple[float, Interval]:
        """The share of images that the ensemble classifies rightly; its interval over images."""
        correct = self.ensemble_correct.astype(float)
        return float(correct.mean()), bootstrap_images(correct)

    @cached_property
    def ensemble_gain(self) -> tuple[float, Interval]:
        """The ensemble's accuracy minus the mean of the seeds', and its interval over images."""
        gain = self.ensemble_correct - self.correct.mean(axis=0)
        return float(gain.mean()), bootstrap_images(gain)

    @cached_property
    def reliability(self) -> list[pd.DataFrame]:
        """The table of study.statistics.calibration for each seed."""
        return [
            calibration.reliability(confidence, correct)
            for confidence, correct in zip(self.confidence, self.correct, strict=True)
        ]

    @cached_property
    def mean_reliability(self) -> pd.DataFrame:
        """The mean over the seeds' tables; of an empty bin, over those in which it is not."""
        return pd.concat(self.reliability).groupby(level=0).mean()

    @cached_property
    def calibration_error(self) -> tuple[float, Interval]:
        """The seeds' mean expected calibration error, and its t interval over seeds."""
        errors = [calibration.expected_error(table) for table in self.reliability]
        mean, _, low, high = map(float, t_interval(np.array(errors), SHARE))
        return mean, Interval(low, high)

    @cached_property
    def ensemble_calibration_error(self) -> float:
        """The expected calibration error of the ensemble."""
        confidence = self.probabilities.mean(axis=0).max(axis=1)
        return calibration.expected_error(
            calibration.reliability(confidence, self.ensemble_correct)
        )

    @cached_property
    def confusion(self) -> np.ndarray:
        """Mean counts over the seeds, by label and predicted class."""
        return classification.confusion(self.labels, self.predicted, self.class_count)

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Precision, recall and F1 of each class."""
        return classification.per_class(self.labels, self.predicted, self.class_count)

    @cached_property
    def averages(self) -> classification.Averages:
        """Balanced accuracy and macro F1 of single networks."""
        return classification.averages(self.labels, self.predicted)

    @cached_property
    def ensemble_averages(self) -> classification.Averages:
        """Balanced accuracy and macro F1 of the ensemble, which has no interval over seeds."""
        return classification.averages(self.labels, self.ensemble_predicted[np.newaxis])

    def confused(self, count: int = MOST_CONFUSED) -> list[tuple[int, int, float]]:
        """Class, what it is taken for, and how many images: the most frequent mistakes first."""
        return classification.confused_pairs(self.confusion, count)

    def examples(self, label: int, taken: int, count: int) -> pd.DataFrame:
        """Images of a class that more than half of the seeds take for a certain other."""
        return classification.examples(
            self.labels, self.predicted, self.probabilities[:, :, taken], label, taken, count
        )

    def mistakes(self, count: int) -> pd.DataFrame:
        """The most confident mistakes."""
        return classification.confident_mistakes(
            self.labels, self.predicted, self.confidence, count
        )


Evaluated = Evaluation | Predictions


def evaluate(plan: Plan, run: Path, data: Path) -> Evaluated:
    """Let the plan's final model meet the test images in `data`; `run` is its run's folder."""
    final = plan.final
    if final is None:
        raise StudyError("the plan has no final model: add `final:` to the configuration")
    dataset = datasets.describe(plan.dataset)
    content = dataset.load(data)
    inputs = content.test.x.reshape(len(content.test), -1)
    networks = weights.tensors_of_run(run, plan.final_run.seeds, final.epochs)
    answer = _answering(plan.model, final.settings, content)
    # More threads may sum in another order.
    with threadpool_limits(1):
        found = [answer(inputs, tensors) for tensors in networks.values()]
    return _kind(content)(
        Provenance(final.run, final.epochs, list(networks), dataset.name, dataset.digest),
        np.array(found, np.float32).reshape(-1, len(inputs), len(content.targets)),
        np.asarray(content.test.y),
    )


def _kind(data: Data) -> type[Evaluation] | type[Predictions]:
    return Evaluation if isinstance(data.targets, Classes) else Predictions


def _answering(
    model: Model, settings: Settings, data: Data
) -> Callable[[np.ndarray, Mapping[str, np.ndarray]], np.ndarray]:
    """What a network's tensors make of inputs (n, features), as stored.

    These are the classes' probabilities, or predictions in the targets' units.
    """
    scaling, spread = of_inputs(data.test.x), spread_of(data)
    if not model.is_perceptron:
        # With torch, which perceptrons do without.
        from study.final import modules

        return modules.Answering(
            models.module(model, settings, data.inputs, len(data.targets), scaling), spread
        )
    activation = settings["activation"]
    return lambda inputs, tensors: inference.answers(
        inputs, weights.layers(tensors), activation, scaling, spread
    )


def spread_of(data: Data) -> Spread | None:
    """That of the targets, by which they were learned; None of classes."""
    return None if isinstance(data.targets, Classes) else of_targets(data.train.y)


def write(path: Path, evaluation: Evaluated) -> None:
    """Write what `read` gives back: `seed_<n>.probabilities` (images, classes) of each seed.

    Of quantities they are `seed_<n>.predictions` (examples, targets).
    """
    tensors = {
        f"seed_{seed}.{evaluation.kind}": answers
        for seed, answers in zip(evaluation.seeds, evaluation.answers, strict=True)
    }
    weights.write_described(path, tensors, asdict(evaluation.provenance))


def read_evaluation(path: Path, data: Data) -> Evaluated:
    """What `write` wrote, with the labels or quantities of the test part of `data`.

    Raises StudyError where the file is missing, damaged or about another data set.
    """
    described, found = weights.read_described(path, weights.AGAIN)
    fault = next(schemas.errors(described, _FORM), None)
    if fault:
        place = ".".join(map(str, fault.absolute_path))
        reason = f"{weights.DESCRIPTION} {place}: {fault.message}"
        raise weights.damaged(path, reason, weights.AGAIN)
    provenance = Provenance(**described)
    if provenance.digest != data.dataset.digest:
        raise StudyError(
            f"{path}: is about other images than those of {data.dataset.name}; {weights.AGAIN}"
        )
    kind, right = _kind(data), np.asarray(data.test.y)
    shape = (len(right), len(data.targets))
    names = [f"seed_{seed}.{kind.kind}" for seed in provenance.seeds]
    if set(names) != found.keys():
        raise weights.damaged(path, "its seeds are not those that it names", weights.AGAIN)
    for name in names:
        if found[name].dtype != np.float32 or found[name].shape != shape:
            raise weights.damaged(path, f"{name} is no float32 tensor {shape}", weights.AGAIN)
        if not (_are_probabilities if kind is Evaluation else _are_numbers)(found[name]):
            raise weights.damaged(path, f"{name} holds no {kind.kind}", weights.AGAIN)
    answers = np.array([found[name] for name in names], np.float32).reshape(-1, *shape)
    return kind(provenance, answers, right)


def _are_probabilities(found: np.ndarray) -> bool:
    return bool((found >= 0).all() and np.allclose(found.sum(axis=1), 1, atol=1e-3))


def _are_numbers(found: np.ndarray) -> bool:
    return bool(np.isfinite(found).all())
