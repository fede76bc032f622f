"""What the report tells of the final model on the test images, whatever it was to learn."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from study.final.evaluation import Evaluated
from study.report.accuracy_tables import Results
from study.report.part import side_of_zero
from study.statistics.uncertainty import Interval


class Tested(Results):
    """The final model on the test images; only to be asked for where networks of it are left."""

    @property
    def evaluation(self) -> Evaluated:
        """The final model's answers."""
        return self.study.evaluation

    @property
    def is_one(self) -> bool:
        return len(self.evaluation.seeds) == 1

    @property
    def count(self) -> str:
        """How many test images there are."""
        return self.words.number(self.evaluation.answers.shape[1])

    @property
    def seeds(self) -> str:
        """`5 seeds`."""
        return self.words.counted("seeds", len(self.evaluation.seeds))

    def _range(self, interval: Interval) -> str:
        """An interval of scores in a cell; a dash where it is unknown."""
        if np.isnan(interval.low):
            return self.cell("none")
        return f"{self.words.points(interval.low)} – {self.words.points(interval.high)}"

    def ends(self, interval: Interval) -> dict[str, str]:
        """An interval of differences for a sentence."""
        return {"low": self.words.signed(interval.low), "high": self.words.signed(interval.high)}

    def results(self) -> str:
        """A table of the score and its intervals, of single networks and of the ensemble.

        Beside them stands what else the networks are measured by.
        """
        score, none = self.evaluation.score, self.cell("none")
        intervals = (score.over_seeds, score.over_images, score.over_both)
        rows = [
            [
                self.text(f"tested.{'one' if self.is_one else 'mean'}", seeds=self.seeds),
                self.words.points(score.mean),
                *map(self._range, intervals),
            ]
        ]
        if not self.is_one:
            mean, over_images = self.evaluation.ensemble_score
            name = self.text("tested.ensemble", seeds=self.seeds)
            rows.append([name, self.words.points(mean), none, self._range(over_images), none])
        beside = self.measured_beside()
        keys = ("model", "accuracy", "over_seeds", "over_images", "over_both", *beside)
        rows = [[*row, *cells] for row, *cells in zip(rows, *beside.values(), strict=True)]
        return self.rows(self.headings(*keys), rows, "lrrrr" + "r" * len(beside))

    def measured_beside(self) -> Mapping[str, Sequence[str]]:
        """Columns by their headings' keys: of single networks and, of several, of the ensemble."""
        return {}

    def results_note(self) -> str:
        """What the table's intervals are."""
        return self.text(f"tested.{'note_one_seed' if self.is_one else 'note'}")

    def found(self) -> Iterator[str]:
        """What the final model reaches, how sure that is, and what the ensemble adds."""
        score = self.evaluation.score
        is_reference = self.study.plan.validation == "test"
        yield self.text(
            f"tested.{'chosen_on' if is_reference else 'never_chosen_on'}", count=self.count
        )
        # One seed, and several that are right equally often, tell nothing of others.
        is_known = not np.isnan(score.over_seeds.low)
        form = "accuracy" if is_known else "accuracy_one_seed" if self.is_one else "accuracy_flat"
        yield self.text(
            f"tested.{form}",
            epochs=self.words.counted("epochs", self.evaluation.provenance.epoch),
            accuracy=self.words.score(score.mean),
            count=self.count,
            seeds=self.seeds,
            low=self.words.score(score.widest.low),
            high=self.words.score(score.widest.high),
        )
        if is_known:
            by_seeds, by_images = score.over_seeds.half, score.over_images.half
            yield self.text(
                f"tested.{'images' if by_images > by_seeds else 'seeds'}_matter_more",
                seeds=self.words.points(by_seeds),
                images=self.words.points(by_images),
            )
        yield from self.about_frequencies()
        if self.is_one:
            yield self.text("tested.no_ensemble")
            return
        mean, _ = self.evaluation.ensemble_score
        gain, over_images = self.evaluation.ensemble_gain
        yield self.text(
            f"tested.ensemble_{side_of_zero(over_images)}",
            seeds=self.seeds,
            accuracy=self.words.score(mean),
            gain=self.words.signed(gain),
            **self.ends(over_images),
        )

    def about_frequencies(self) -> Iterator[str]:
        """What the score is worth where classes are not equally frequent."""
        yield from ()
