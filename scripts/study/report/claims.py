"""The report's part on claims that were put to the test, as Markdown for the template."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from study.report.accuracy_tables import Results
from study.results import published
from study.results.experiments import ValueResult
from study.spec.claims import OWN, PUBLISHED
from study.spec.predicates import FINAL, Verdict
from study.spec.tasks import score_of
from study.support import markdown

# A row of claims.parquet, one of the comparisons that are its evidence, and a side of one.
Claim = Mapping[str, Any]
Comparison = Mapping[str, Any]
Side = Mapping[str, Any]

SECONDS, LOSSES = "seconds", ("train_loss", "validation_loss")


class Claims(Results):
    """What became of the published study's claims and of the study's own."""

    @cached_property
    def _published(self) -> list[Claim]:
        return [claim for claim in self.study.claims if claim["source"] == PUBLISHED]

    @cached_property
    def _own(self) -> list[Claim]:
        return [claim for claim in self.study.claims if claim["source"] == OWN]

    def about(self) -> Iterator[str]:
        """How claims are judged, and how many hold."""
        yield self.text("claims.how")
        if self.study.is_of_one_seed:
            yield self.text("claims.one_seed")
        else:
            yield self.text("claims.tests", level=self.words.level())
        for source, claims in ((PUBLISHED, self._published), (OWN, self._own)):
            if claims:
                counts = Counter(claim["verdict"] for claim in claims)
                yield self.text(
                    f"claims.counts_{source}",
                    count=len(claims),
                    seeds=self.seeds_of_values,
                    **{verdict.value: counts[verdict] for verdict in Verdict},
                )
        printed = [claim for claim in self._published if claim["published_verdict"]]
        if printed:
            both = [claim["agrees"] for claim in printed if claim["agrees"] is not None]
            yield self.text(
                "claims.by_its_own_numbers",
                printed=len(printed),
                contradicted=sum(claim["published_verdict"] == Verdict.FAILS for claim in printed),
                both=len(both),
                same=sum(both),
            )

    def failing(self) -> list[str]:
        """The published study's claims that do not hold, with the numbers against them."""
        return [
            " ".join(
                [
                    f"**{self._statement(claim)}**",
                    self.text("claims.against", evidence=self._evidence(claim)),
                    self.text(f"claims.printed_{claim['published_verdict'] or 'nothing'}"),
                ]
            )
            for claim in self._published
            if claim["verdict"] == Verdict.FAILS
        ]

    def tables(self) -> Iterator[tuple[str, str]]:
        """Each section of the document that claims something, with the table of its claims."""
        names = published.load().sections.get(self.words.language.code, {})
        for section, claims in itertools.groupby(self._published, lambda each: each["section"]):
            yield (
                markdown.escaped(names.get(section, section)),
                self._table(list(claims), with_printed=True),
            )

    def own(self) -> str:
        """The table of the study's own claims; nothing where it makes none."""
        return self._table(self._own, with_printed=False) if self._own else ""

    def note(self) -> str:
        """What the numbers of the tables are."""
        return self.text("claims.note", validation=self.validation_note)

    def _table(self, claims: Sequence[Claim], with_printed: bool) -> str:
        columns = {
            "claim": [self._statement(claim) for claim in claims],
            "verdict": [self.text(f"claims.verdicts.{claim['verdict']}") for claim in claims],
            "evidence": [self._evidence(claim) for claim in claims],
        }
        if with_printed:
            columns["published_verdict"] = [
                self.text(f"claims.verdicts.{claim['published_verdict'] or 'none'}")
                for claim in claims
            ]
            columns["printed"] = [self._printed(claim) for claim in claims]
        named = dict(zip(self.headings(*columns), columns.values(), strict=True))
        return self.table(named, "l" * len(columns))

    def _statement(self, claim: Claim) -> str:
        return markdown.escaped(claim[f"statement_{self.words.language.code}"])

    def _deciding(self, claim: Claim) -> list[Comparison]:
        """What decides: of what holds the closest comparisons first, of what fails the widest."""

        def distance(comparison: Comparison) -> float:
            sides = comparison["left"]["mean"], comparison["right"]["mean"]
            if None in sides:
                return math.inf
            return abs(sides[0] - sides[1] - comparison["by"])

        deciding = [comparison for comparison in claim["evidence"] if comparison["decides"]]
        fails = claim["verdict"] == Verdict.FAILS
        return sorted(deciding, key=distance, reverse=fails)

    def _evidence(self, claim: Claim) -> str:
        """The first of the comparisons that decide, and how many others do."""
        first, *others = self._deciding(claim)
        text = self._compared(first)
        return self.text("claims.more", first=text, n=len(others)) if others else text

    def _compared(self, comparison: Comparison) -> str:
        sides = comparison["left"], comparison["right"]
        measured = _measured(comparison)
        shared = {self._measure(side) for side in sides if side["measure"]}
        parts = []
        if len(shared) == 1:
            parts += [text for text in shared if text]
        left, right = (self._side(side, measured, named=len(shared) > 1) for side in sides)
        parts.append(self.text("claims.compared", left=left, right=right))
        details = []
        if comparison["by"]:
            sign = "+" if comparison["by"] > 0 else "−"
            by = f"{sign}{self._number(abs(comparison['by']), measured)}"
            details.append(self.text("claims.margin", by=by))
        if comparison["p"] is not None:
            details.append(self.words.p(comparison["p"]))
        if details:
            parts.append(", ".join(details))
        return ": ".join(parts)

    def _side(self, side: Side, measured: Side, named: bool) -> str:
        if not side["measure"]:
            return self._number(side["mean"], measured)
        if side["mean"] is None:
            number = self.cell("diverged")
        else:
            ends = (math.nan if side[end] is None else side[end] for end in ("low", "high"))
            number = self.words.with_interval(
                side["mean"], *ends, lambda each: self._number(each, side)
            )
        if side["experiment"] == FINAL:
            parts = [self.text("claims.final")]
        else:
            parts = [self.words.phrase(self._values[side["experiment"], side["value"]])]
        if side["epoch"]:
            parts.append(self.text("claims.epoch", epoch=self.words.number(side["epoch"])))
        if named:
            parts.append(self._measure(side) or self.text(f"claims.measures.{self._score}"))
        return self.text("claims.side", name=", ".join(parts), number=number)

    def _measure(self, side: Side) -> str:
        """What is measured, in words; nothing for what values are compared by."""
        if side["measure"] == self._score and not side["minus"]:
            return ""
        names = [side["measure"]] + [side["minus"]] * bool(side["minus"])
        return " − ".join(self.text(f"claims.measures.{name}") for name in names)

    @property
    def _score(self) -> str:
        return score_of("validation", self.study.metrics)

    @cached_property
    def _values(self) -> dict[tuple[str, str], ValueResult]:
        return {(each.name, value.text): value for each, value in self.study.values}

    def _number(self, number: float, measured: Side) -> str:
        """In the unit of what is measured: per cent or points, that of a target, nats, seconds."""
        if measured["measure"] in LOSSES:
            return self.words.nats(number)
        if measured["measure"] == SECONDS:
            return self.words.number(number, 3)
        if measured["measure"].endswith("rmse"):
            return self.quantity(number)
        return self.words.points(number)

    def _printed(self, claim: Claim) -> str:
        """The printed numbers of the comparison that is told; a dash where none are printed."""
        first, *_ = self._deciding(claim)
        return self._printed_numbers(first)

    def _printed_numbers(self, comparison: Comparison) -> str:
        measured = _measured(comparison)
        numbers = [
            side["published" if side["measure"] else "mean"]
            for side in (comparison["left"], comparison["right"])
        ]
        if None in numbers:
            return self.cell("none")
        left, right = (self._number(number, measured) for number in numbers)
        return self.text("claims.compared", left=left, right=right)


def _measured(comparison: Comparison) -> Side:
    """The side that is no bare number, or the left one of two."""
    return comparison["left"] if comparison["left"]["measure"] else comparison["right"]
