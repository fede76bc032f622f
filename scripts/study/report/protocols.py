"""The report's part that sets the two ways of validating side by side."""

from collections.abc import Iterator

from study.final.protocols import HeldOut
from study.report.accuracy_tables import Results
from study.results.findings import estimate
from study.spec.settings import Settings


class Protocols(Results):
    """What reporting accuracy on the images that were chosen on amounts to."""

    @property
    def _own(self) -> HeldOut | None:
        return self.study.held_out

    @property
    def _other(self) -> HeldOut | None:
        return self.study.beside

    @property
    def has_any(self) -> bool:
        """Whether any study with held-out images has a final model to show."""
        return self._own is not None or self._other is not None

    def side_by_side(self) -> str:
        """A table of this study's final model and of the other's, if there is one beside it."""
        rows = []
        if self._own:
            rows.append(self._row("held_out_here", self._own))
        elif self.study.evaluation:
            rows.append(self._reference_row())
        if self._other:
            rows.append(self._row("held_out_beside", self._other))
        keys = ("protocol", "learned", "final_settings", "validation", "test")
        return self.rows(self.headings(*keys), rows, "lrlrr")

    def _reference_row(self) -> list[str]:
        return [
            self.text("protocols.on_test_images"),
            self.words.number(self.study.shapes["train"][0]),
            self._settings(self.study.final.varied),
            self.accuracy(self.study.final.validation),
            self.text("protocols.the_same"),
        ]

    def _row(self, name: str, found: HeldOut) -> list[str]:
        test = estimate(found.evaluation.correct.mean(axis=1))
        learned = self.study.shapes["train"][0] - found.images
        return [
            self.text(f"protocols.{name}"),
            self.words.number(learned),
            self._settings(found.settings),
            self.accuracy(estimate(found.validation)),
            self.accuracy(test),
        ]

    def _settings(self, chosen: Settings) -> str:
        return self.words.settings(chosen, self.worth_naming(chosen))

    def optimism(self) -> Iterator[str]:
        """How optimistic the accuracy on the images chosen on is, and which final is ahead."""
        found = self._own or self._other
        size, interval = found.optimism
        verdict = "shown" if interval.low > 0 else "reversed" if interval.high < 0 else "open"
        yield self.text(
            f"protocols.optimism_{verdict}",
            validation=self.words.score(float(found.validation.mean())),
            test=self.words.score(found.evaluation.accuracy.mean),
            optimism=self.words.signed(size),
            low=self.words.signed(interval.low),
            high=self.words.signed(interval.high),
        )
        if self.is_unbalanced("test"):
            yield self.text("tested.unbalanced", **self.most_frequent("test"))
        if self._other and self.study.evaluation:
            here = self.study.evaluation.accuracy.mean
            there = self._other.evaluation.accuracy.mean
            yield self.text(
                f"protocols.{'beside_ahead' if there > here else 'beside_behind'}",
                here=self.words.score(here),
                there=self.words.score(there),
                difference=self.words.points(abs(there - here)),
            )
