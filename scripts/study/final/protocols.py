"""How optimistic it is to report accuracy on the images that settings were chosen on.

A study that holds its validation images out of the training images can tell: its final model is
judged on these, on which it was chosen, and on test images that took no part in any choice.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from study.data import datasets
from study.final import evaluation
from study.final.evaluation import Evaluation
from study.spec.plan import files_beside
from study.statistics.intervals import t_interval
from study.statistics.uncertainty import Interval
from study.support.errors import StudyError

COLUMNS = ["run", "seed", "epoch", "validation_accuracy"]


@dataclass(frozen=True, eq=False)
class Honest:
    """The final model of a study whose validation images are held out of the training images.

    `validation` (seeds,) is its accuracy on these, in the order of the evaluation's seeds.
    """

    plan: Mapping[str, Any]
    validation: np.ndarray
    evaluation: Evaluation

    @property
    def optimism(self) -> tuple[float, Interval]:
        """Accuracy on the validation images minus that on the test images, with its interval.

        Three things vary: seeds, by Student's t over their differences; test images, by the
        bootstrap; and validation images, of which only their number is known, by Wilson's
        interval for a single network, which errs to the wide side. Their distances from the mean
        are put together as in uncertainty.py. With one seed, seeds are left out.
        """
        # statsmodels takes a second to import, which most studies do not need.
        from statsmodels.stats.proportion import proportion_confint

        tested = self.evaluation.accuracy
        mean, _, over_seeds = map(
            float, t_interval(self.validation - self.evaluation.correct.mean(axis=1))
        )
        images = self.plan["validation"]["size"]
        right = float(self.validation.mean())
        low, high = proportion_confint(right * images, images, method="wilson")
        seeds = 0.0 if math.isnan(over_seeds) else over_seeds
        return mean, Interval(
            mean - math.hypot(seeds, right - low, tested.over_images.high - tested.mean),
            mean + math.hypot(seeds, high - right, tested.mean - tested.over_images.low),
        )


def honest(
    plan: Mapping[str, Any], metrics: pd.DataFrame, evaluated: Evaluation | None
) -> Honest | None:
    """A study's final model, where it holds images out and networks are left; else None."""
    if evaluated is None or plan["validation"] == "test":
        return None
    final = plan["final"]
    last = metrics[(metrics["run"] == final["run"]) & (metrics["epoch"] == final["epochs"])]
    accuracies = last.set_index("seed")["validation_accuracy"]
    return Honest(plan, accuracies.loc[evaluated.seeds].to_numpy(), evaluated)


def beside(plan: Mapping[str, Any], dataset: datasets.Dataset, data: Path) -> Honest | None:
    """The final model of the study that `plan` wants to be shown beside, once it is there.

    `data` has the test images. Raises StudyError where that study holds no images out, has no
    final model, or is of other data.
    """
    if not files_beside(plan["beside"]):
        return None
    folder = Path(plan["beside"])
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    evaluated = evaluation.read(folder / "final.safetensors", dataset, data)
    metrics = pd.read_parquet(folder / "metrics.parquet", columns=COLUMNS)
    found = honest(plan, metrics, evaluated if evaluated.seeds else None)
    if found is None:
        raise StudyError(
            f"report.beside: {folder}: has no final model that is validated on held-out images; "
            "name the results of a study with data.validation.from: train"
        )
    return found
