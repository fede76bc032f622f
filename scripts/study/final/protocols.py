"""How optimistic it is to report accuracy on the images that settings were chosen on.

A study that holds its validation images out of the training images can tell: its final model is
judged on these, on which it was chosen, and on test images that took no part in any choice.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from study.data.base import Data
from study.final import evaluation
from study.final.evaluation import Evaluated, Evaluation
from study.spec.beside import FinalBeside, files_beside, final_beside, foreign, no_final
from study.spec.plan import Plan, Value
from study.spec.settings import Settings
from study.statistics.intervals import SHARE, of_differences, t_interval
from study.statistics.uncertainty import Interval, within

COLUMNS = ["run", "seed", "epoch", "validation_accuracy"]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The final model of a study that holds `images` out of the training images for validation.

    `validation` (seeds,) is its accuracy on these, in the order of the evaluation's seeds.
    """

    settings: Settings
    images: int
    validation: np.ndarray
    evaluation: Evaluation

    @property
    def optimism(self) -> tuple[float, Interval]:
        """Accuracy on the validation images minus that on the test images, with its interval.

        Three things vary: seeds, by Student's t over their differences; test images, by the
        bootstrap; and validation images, of which only their number is known, by Wilson's
        interval for a single network, which errs to the wide side. Their distances from the mean
        are put together as in uncertainty.py. With one seed, and where all seeds differ
        alike, seeds are left out.
        """
        # statsmodels takes a second to import, which most studies do not need.
        from statsmodels.stats.proportion import proportion_confint

        tested = self.evaluation.accuracy
        bounds = of_differences(SHARE)
        differences = self.validation - self.evaluation.correct.mean(axis=1)
        mean, _, lowest, highest = map(float, t_interval(differences, bounds))
        if math.isnan(lowest):
            lowest = highest = mean
        right = float(self.validation.mean())
        low, high = proportion_confint(right * self.images, self.images, method="wilson")
        ends = (
            mean - math.hypot(mean - lowest, right - low, tested.over_images.high - tested.mean),
            mean + math.hypot(highest - mean, high - right, tested.mean - tested.over_images.low),
        )
        return mean, Interval(*within(ends, bounds))


def held_out(plan: Plan, metrics: pd.DataFrame, evaluated: Evaluated | None) -> HeldOut | None:
    """A study's final model, where it holds images out and networks are left; else None.

    Also None of quantities: Wilson's interval is one of shares.
    """
    if not isinstance(evaluated, Evaluation):
        return None
    if plan.final is None or isinstance(plan.validation, str):
        return None
    return _measured(plan.final, plan.validation["size"], metrics, evaluated)


def _measured(
    final: Value | FinalBeside, images: int, metrics: pd.DataFrame, evaluated: Evaluation
) -> HeldOut:
    last = metrics[(metrics["run"] == final.run) & (metrics["epoch"] == final.epochs)]
    accuracies = last.set_index("seed")["validation_accuracy"]
    return HeldOut(final.settings, images, accuracies.loc[evaluated.seeds].to_numpy(), evaluated)


def beside(plan: Plan, data: Data) -> HeldOut | None:
    """The final model of the study that `plan` wants to be shown beside, once it is there.

    `data` are the study's own. Raises StudyError where that study holds no images out, has no
    final model, is of other data, or where a file of it is not what was written.
    """
    if not plan.beside or not files_beside(plan.beside):
        return None
    folder = Path(plan.beside)
    final = final_beside(folder)
    evaluated = evaluation.read_evaluation(folder / "final.safetensors", data)
    if not (isinstance(evaluated, Evaluation) and evaluated.seeds):
        raise no_final(folder)
    if (evaluated.provenance.run, evaluated.provenance.epoch) != (final.run, final.epochs):
        raise foreign(folder / "final.safetensors", "is of another model than plan.json names")
    count = len(data.train)
    if final.held_out >= count:
        raise foreign(folder / "plan.json", f"holds out more than the {count} training images")
    metrics = _metrics(folder / "metrics.parquet", final, evaluated.seeds)
    return _measured(final, final.held_out, metrics, evaluated)


def _metrics(path: Path, final: FinalBeside, seeds: Sequence[int]) -> pd.DataFrame:
    """The metrics of a study, which have the final model's last epoch once for each seed."""
    try:
        found = pq.read_table(path, columns=COLUMNS).to_pandas()
        is_last = (found["run"] == final.run) & (found["epoch"] == final.epochs)
        last = found[is_last & found["seed"].isin(seeds)]
        is_right = last["validation_accuracy"].between(0, 1).all()
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise foreign(path, f"cannot be read ({error!s:.100})") from None
    if not is_right or sorted(last["seed"]) != sorted(seeds):
        raise foreign(path, "lacks the validation accuracy of the final model's seeds")
    return found
