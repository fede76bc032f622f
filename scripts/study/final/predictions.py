"""The final model of regression on the test examples: what it predicts, and how far it is off."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from study.final.provenance import Provenance
from study.spec.tasks import REGRESSION
from study.statistics import regression
from study.statistics.uncertainty import Interval, MeanOfSeeds, of_seeds


@dataclass(frozen=True, eq=False)
class Predictions:
    """What is predicted, `answers` (seeds, n, targets) float32, and `targets` (n, targets).

    Both are in the targets' units. Only `provenance` can be asked for where there are no seeds.
    """

    kind: ClassVar[str] = "predictions"

    provenance: Provenance
    answers: np.ndarray
    targets: np.ndarray

    @property
    def seeds(self) -> list[int]:
        """The seeds evaluated."""
        return self.provenance.seeds

    @property
    def scores_by_seed(self) -> np.ndarray:
        """The mean of the targets' R², (seeds,)."""
        return regression.r2(self.answers, self.targets).mean(axis=-1)

    @cached_property
    def score(self) -> MeanOfSeeds:
        """The mean of the targets' R²."""
        resampled, _ = self._resampled
        over_examples = regression.interval(resampled.mean(axis=(1, 2)))
        return of_seeds(self.scores_by_seed, over_examples, REGRESSION.bounds["r2"])

    def r2(self, target: int) -> MeanOfSeeds:
        """R² of one target."""
        return self._of_target("r2", regression.r2(self.answers, self.targets), target)

    def rmse(self, target: int) -> MeanOfSeeds:
        """The root mean squared error of one target, in its unit."""
        return self._of_target("rmse", regression.rmse(self.answers, self.targets), target)

    def _of_target(self, metric: str, found: np.ndarray, target: int) -> MeanOfSeeds:
        resampled = dict(zip(("r2", "rmse"), self._resampled, strict=True))[metric]
        over_examples = regression.interval(resampled[:, :, target].mean(axis=1))
        return of_seeds(found[:, target], over_examples, REGRESSION.bounds[metric])

    @cached_property
    def _resampled(self) -> tuple[np.ndarray, np.ndarray]:
        return regression.resampled(self.answers, self.targets)

    @cached_property
    def ensemble(self) -> "Predictions":
        """The mean of the seeds' predictions, as that of one network."""
        return Predictions(self.provenance, self.answers.mean(axis=0, keepdims=True), self.targets)

    @property
    def ensemble_score(self) -> tuple[float, Interval]:
        """The ensemble's R²; its interval over examples."""
        score = self.ensemble.score
        return score.mean, score.over_images

    @cached_property
    def ensemble_gain(self) -> tuple[float, Interval]:
        """The ensemble's R² minus the mean of the seeds', and its interval over examples."""
        (together, _), (alone, _) = self.ensemble._resampled, self._resampled
        gains = together.mean(axis=(1, 2)) - alone.mean(axis=(1, 2))
        gain = float(self.ensemble.scores_by_seed[0] - self.scores_by_seed.mean())
        return gain, regression.interval(gains)

    @property
    def residuals(self) -> np.ndarray:
        """The ensemble's predictions minus the targets, (n, targets)."""
        return self.ensemble.answers[0] - self.targets
