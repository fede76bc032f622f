"""The report's part on the final model of quantities on the test examples."""

from collections.abc import Callable, Iterator

import numpy as np

from study.final.predictions import Predictions
from study.report.part import side_of_zero
from study.report.tested import Tested
from study.statistics.uncertainty import Interval, bootstrap_images

# Of more targets than this, only the table tells.
MOST_TARGETS = 6


class Predicted(Tested):
    """How far its predictions are off, target by target."""

    @property
    def evaluation(self) -> Predictions:
        """The final model's predictions."""
        return self.study.evaluation

    def targets(self) -> str:
        """A table of R² and RMSE of each target, beside always predicting the mean."""
        found, places = self.evaluation, range(len(self.quantities))
        scores, errors = [list(map(measure, places)) for measure in (found.r2, found.rmse)]
        mean = self.study.data.train.y.mean(axis=0, dtype=np.float64)
        of_mean = np.sqrt(np.square(found.targets - mean).mean(axis=0))
        columns = {
            "target": self.quantities,
            "r2": [self.words.score(each.mean) for each in scores],
            "r2_interval": [_span(each.widest, self.words.score) for each in scores],
            "error": [self.quantity(errors[place].mean, place) for place in places],
            "error_interval": [_span(errors[place].widest, self._of(place)) for place in places],
            "error_of_mean": [self.quantity(of_mean[place], place) for place in places],
        }
        named = dict(zip(self.headings(*columns), columns.values(), strict=True))
        return self.table(named, "lrrrrr")

    def _of(self, target: int) -> Callable[[float], str]:
        """How a number in the unit of a target is written."""
        return lambda quantity: self.quantity(quantity, target)

    def targets_note(self) -> str:
        """What the table's numbers are."""
        return self.words.counted("tested.targets_note", len(self.evaluation.seeds))

    def bias(self) -> Iterator[str]:
        """Whether the predictions of each target are too high or too low on the whole."""
        if len(self.quantities) > MOST_TARGETS:
            return
        for place, name in enumerate(self.quantities):
            off = self.evaluation.residuals[:, place].astype(np.float64)
            interval, mean = bootstrap_images(off), float(off.mean())
            side = side_of_zero(interval)
            yield self.text(
                f"tested.bias_{side}",
                target=name,
                bias=self.quantity(mean if side == "open" else abs(mean), place),
                low=self.quantity(interval.low, place),
                high=self.quantity(interval.high, place),
            )

    def predictions_figure(self) -> str:
        """The figure of what is predicted against what is true."""
        alternative = self.text(
            "tested.predictions_alt",
            targets=self.words.joined(self.quantities),
            accuracy=self.words.score(self.evaluation.score.mean),
        )
        return self.figure("final_predictions", alternative)

    def residuals_figure(self) -> str:
        """The figure of what the predictions are off by."""
        targets = self.words.joined(self.quantities)
        return self.figure("final_residuals", self.text("tested.residuals_alt", targets=targets))


def _span(interval: Interval, written: Callable[[float], str]) -> str:
    return f"{written(interval.low)} – {written(interval.high)}"
