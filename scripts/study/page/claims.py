"""The claims of the report's tables, unfolded: each with all the comparisons that it rests on."""

from collections.abc import Iterator
from dataclasses import dataclass

from study.report.claims import Claim, Claims, Comparison


@dataclass(frozen=True)
class Compared:
    """One comparison in words: our numbers, what they say, and what the document's own say.

    `decides` tells whether the claim's verdict rests on it; `printed` is empty where the document
    does not print both numbers.
    """

    numbers: str
    verdict: str
    decides: bool
    printed: str


@dataclass(frozen=True)
class Unfolded:
    """A claim, all texts in Markdown; `code` is the verdict in one word for every language."""

    statement: str
    code: str
    verdict: str
    published_verdict: str
    comparisons: list[Compared]


class UnfoldedClaims(Claims):
    """The claims in the order of the report's tables."""

    def unfolded(self) -> Iterator[Unfolded]:
        """Each claim, those of the published study first."""
        for claim in [*self._published, *self._own]:
            yield Unfolded(
                statement=self._statement(claim),
                code=claim["verdict"],
                verdict=self._named(claim["verdict"]),
                published_verdict=self._named(claim["published_verdict"]),
                comparisons=[self._told(claim, each) for each in claim["evidence"]],
            )

    def _named(self, verdict: str | None) -> str:
        return self.text(f"claims.verdicts.{verdict or 'none'}")

    def _told(self, claim: Claim, comparison: Comparison) -> Compared:
        return Compared(
            numbers=self._compared(comparison),
            verdict=self._named(comparison["verdict"]),
            decides=comparison["decides"],
            printed=self._printed_numbers(comparison),
        )
