"""The report's part on claims that were put to the test, as Markdown for the template."""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from study import analysis, markdown
from study.claims import OWN, PUBLISHED
from study.predicates import DEFAULT_MEASURE, FINAL, Verdict
from study.report_parts import Part

# A row of claims.parquet, and one of the comparisons that are its evidence.
Claim = Mapping[str, Any]
Comparison = Mapping[str, Any]

# Of more comparisons than this, a cell counts the rest.
MOST_SHOWN = 2

SECONDS, LOSSES = "seconds", ("train_loss", "validation_loss")


class Claims(Part):
    """What became of the published study's claims and of the study's own."""

    @cached_property
    def _published(self) -> list[Claim]:
        return [claim for claim in self.study.claims if claim["source"] == PUBLISHED]

    @cached_property
    def _own(self) -> list[Claim]:
        return [claim for claim in self.study.claims if claim["source"] == OWN]

    def about(self) -> Iterator[str]:
        """How claims are judged, and how many hold."""
        level = self.words.number(analysis.LEVEL, 2)
        yield self.text("claims.how", level=level)
        for claims, key in ((self._published, "published"), (self._own, "own")):
            if claims:
                counts = Counter(claim["verdict"] for claim in claims)
                yield self.text(
                    f"claims.counts_{key}",
                    count=len(claims),
                    seeds=self.n_seeds,
                    **{each.value: counts[each] for each in Verdict},
                )
        if any(claim["published_verdict"] for claim in self._published):
            yield self._by_its_own_numbers()

    def _by_its_own_numbers(self) -> str:
        printed = [claim for claim in self._published if claim["published_verdict"]]
        contradicted = [c for c in printed if c["published_verdict"] == Verdict.FAILS]
        both = [claim for claim in printed if claim["agrees"] is not None]
        return self.text(
            f"claims.{'contradicts_itself' if contradicted else 'consistent'}",
            printed=len(printed),
            contradicted=len(contradicted),
            both=len(both),
            same=sum(claim["agrees"] for claim in both),
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
        for section, claims in itertools.groupby(self._published, lambda each: each["section"]):
            yield markdown.escaped(section), self._table(list(claims), with_printed=True)

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

    def _shown(self, claim: Claim) -> list[Comparison]:
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
        shown = self._shown(claim)
        told = [self._compared(comparison) for comparison in shown[:MOST_SHOWN]]
        rest = len(shown) - len(told)
        more = [self.text("claims.more", n=rest)] if rest else []
        return "; ".join(told + more)

    def _compared(self, comparison: Comparison) -> str:
        left, right = comparison["left"], comparison["right"]
        measured = left if left["measure"] else right
        sides = {
            name: self._side(side, measured) for name, side in (("left", left), ("right", right))
        }
        details = []
        if comparison["by"]:
            details.append(self.text("claims.margin", by=self._signed(comparison["by"], measured)))
        if comparison["p"] is not None:
            details.append(self.words.p(comparison["p"]))
        text = self.text("claims.compared", **sides)
        return f"{text}: {', '.join(details)}" if details else text

    def _side(self, side: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
        if not side["measure"]:
            return self._number(side["mean"], measured)
        if side["mean"] is None:
            number = self.cell("diverged")
        else:
            number = self._number(side["mean"], side)
            if side["low"] is not None:
                number += f" ± {self._number((side['high'] - side['low']) / 2, side)}"
        return self.text("claims.side", name=self._name(side), number=number)

    def _name(self, side: Mapping[str, Any]) -> str:
        """A quantity in words: its value, and what of it, unless that is its last accuracy."""
        if side["experiment"] == FINAL:
            parts = [self.text("claims.final")]
        else:
            parts = [self.words.phrase(self._values[side["experiment"], side["value"]])]
        if side["epoch"]:
            parts.append(self.text("claims.epoch", epoch=self.words.number(side["epoch"])))
        if side["minus"] or side["measure"] != DEFAULT_MEASURE:
            names = [side["measure"]] + [side["minus"]] * bool(side["minus"])
            parts.append(" − ".join(self.text(f"claims.measures.{name}") for name in names))
        return ", ".join(parts)

    @cached_property
    def _values(self) -> dict[tuple[str, str], analysis.Value]:
        return {(each.name, value.text): value for each, value in self.study.values}

    def _number(self, number: float, measured: Mapping[str, Any]) -> str:
        """In the unit of what is measured: per cent or points, nats, seconds."""
        if measured["measure"] in LOSSES:
            return self.words.nats(number)
        if measured["measure"] == SECONDS:
            return self.words.number(number, 3)
        return self.words.points(number)

    def _signed(self, number: float, measured: Mapping[str, Any]) -> str:
        sign = "+" if number > 0 else "−"
        return f"{sign}{self._number(abs(number), measured)}"

    def _printed(self, claim: Claim) -> str:
        """The printed numbers of what is shown of ours; a dash where none are printed."""
        told = []
        for comparison in self._shown(claim)[:MOST_SHOWN]:
            left, right = comparison["left"], comparison["right"]
            measured = left if left["measure"] else right
            numbers = [
                side["published"] if side["measure"] else side["mean"] for side in (left, right)
            ]
            if None not in numbers:
                texts = (self._number(number, measured) for number in numbers)
                told.append(
                    self.text("claims.compared", **dict(zip(("left", "right"), texts, strict=True)))
                )
        return "; ".join(told) or self.cell("none")
