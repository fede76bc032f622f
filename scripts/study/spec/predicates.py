"""Predicates in their declarative form (claims.schema.yaml), and the logic that decides them.

Every form comes down to comparisons of two quantities, joined by all, any and not. A comparison
holds, fails or is open; what joins them is Kleene's strong three-valued logic (Kleene,
Introduction to Metamathematics, 1952, section 64).
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from study.spec.tasks import bounds_of
from study.support.strict_yaml import suggestion

FINAL = "final"

DEFAULT_MEASURE = "validation_accuracy"


class Verdict(StrEnum):
    """What the numbers say of a predicate: it is open where they cannot tell."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"

    @property
    def opposite(self) -> "Verdict":
        return _OPPOSITE[self]


_OPPOSITE = {
    Verdict.HOLDS: Verdict.FAILS,
    Verdict.FAILS: Verdict.HOLDS,
    Verdict.OPEN: Verdict.OPEN,
}


@dataclass(frozen=True)
class Quantity:
    """A measure of an experiment's value (its text), or that minus another measure.

    `epoch` is None for the value's last.
    """

    experiment: str
    value: str
    measure: str = DEFAULT_MEASURE
    minus: str | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class Greater:
    """`left` is greater than `right` by more than `by`; at most one of them is a bare number."""

    left: Quantity | float
    right: Quantity | float
    by: float = 0.0

    @property
    def quantities(self) -> list[Quantity]:
        """Those of both sides that are no bare numbers."""
        return [side for side in (self.left, self.right) if isinstance(side, Quantity)]


@dataclass(frozen=True)
class All:
    """Every part is so."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True)
class Some:
    """At least one part is so."""

    parts: "tuple[Predicate, ...]"


@dataclass(frozen=True)
class Not:
    """The part is not so."""

    part: "Predicate"


Predicate = Greater | All | Some | Not

# What a comparison comes to.
Decide = Callable[[Greater], Verdict]


def verdict(predicate: Predicate, decide: Decide) -> Verdict:
    """What a predicate comes to, given what its comparisons come to."""
    match predicate:
        case Greater():
            return decide(predicate)
        case Not(part):
            return verdict(part, decide).opposite
        case All(parts):
            found = {verdict(part, decide) for part in parts}
            order = (Verdict.FAILS, Verdict.OPEN, Verdict.HOLDS)
        case Some(parts):
            found = {verdict(part, decide) for part in parts}
            order = (Verdict.HOLDS, Verdict.OPEN, Verdict.FAILS)
    return next(each for each in order if each in found)


def comparisons(predicate: Predicate) -> list[Greater]:
    """The distinct comparisons, in the order in which they are written."""
    return list(dict.fromkeys(_comparisons(predicate)))


def _comparisons(predicate: Predicate) -> Iterator[Greater]:
    match predicate:
        case Greater():
            yield predicate
        case Not(part):
            yield from _comparisons(part)
        case All(parts) | Some(parts):
            for part in parts:
                yield from _comparisons(part)


def deciding(predicate: Predicate, decide: Decide) -> set[Greater]:
    """The comparisons that the verdict rests on: those parts that come to what the whole does."""
    match predicate:
        case Greater():
            return {predicate}
        case Not(part):
            return deciding(part, decide)
        case All(parts) | Some(parts):
            whole = verdict(predicate, decide)
            like_it = [part for part in parts if verdict(part, decide) is whole]
            return set().union(*(deciding(part, decide) for part in like_it))


@dataclass(frozen=True)
class Known:
    """A value of an experiment that predicates may name: its text, what it varies, its epochs."""

    text: str
    varied: Mapping[str, Any]
    epochs: int


# The values of each experiment; the final model is the one value of `final`.
Vocabulary = Mapping[str, Sequence[Known]]


class UnknownError(Exception):
    """What a predicate names and the study does not have: where in the predicate, and why."""

    def __init__(self, place: str, reason: str):
        super().__init__(f"{place}: {reason}")


def read_predicate(form: Mapping[str, Any], vocabulary: Vocabulary, place: str) -> Predicate:
    """The predicate of a form that the schema accepts, which stands at `place`.

    UnknownError where it names what the study does not have, or what makes no sense.
    """
    [(key, content)] = form.items()
    place = f"{place}.{key}"
    match key:
        case "all":
            return All(_parts(content, vocabulary, place))
        case "any":
            return Some(_parts(content, vocabulary, place))
        case "not":
            return Not(read_predicate(content, vocabulary, place))
        case "greater":
            return _compared(
                *_sides(content, vocabulary, place), place, float(content.get("by", 0))
            )
        case "close":
            left, right = _sides(content, vocabulary, place)
            margin = -float(content["within"])
            both = ((left, right), (right, left))
            return All(tuple(_compared(*pair, place, margin) for pair in both))
        case "between":
            low, high = float(content["low"]), float(content["high"])
            if low >= high:
                raise UnknownError(place, f"nothing is above {low} and below {high}")
            quantity = _quantity(content["quantity"], vocabulary, f"{place}.quantity")
            return All((_compared(quantity, low, place), _compared(high, quantity, place)))
        case "rising":
            steps = itertools.pairwise(_gone_through(content, vocabulary, place))
            return All(tuple(_compared(after, before, place) for before, after in steps))
        case _:
            one, others = _extreme(content, vocabulary, place)
            pairs = [(one, other) if key == "highest" else (other, one) for other in others]
            return All(tuple(Greater(*pair) for pair in pairs))


def _parts(
    forms: Sequence[Mapping[str, Any]], vocabulary: Vocabulary, place: str
) -> tuple[Predicate, ...]:
    return tuple(read_predicate(form, vocabulary, f"{place}[{i}]") for i, form in enumerate(forms))


def _sides(
    content: Mapping[str, Any], vocabulary: Vocabulary, place: str
) -> tuple[Quantity | float, Quantity | float]:
    left, right = (
        _quantity(content[side], vocabulary, f"{place}.{side}")
        if isinstance(content[side], Mapping)
        else float(content[side])
        for side in ("left", "right")
    )
    if isinstance(left, float) and isinstance(right, float):
        raise UnknownError(place, "compares two numbers; one side must name an experiment")
    return left, right


def _quantity(content: Mapping[str, Any], vocabulary: Vocabulary, place: str) -> Quantity:
    return _of_value(_value(content, vocabulary, place), content, place)


def _of_value(known: Known, content: Mapping[str, Any], place: str) -> Quantity:
    """The quantity of a value that is known."""
    epoch = content.get("epoch")
    if epoch is not None and epoch > known.epochs:
        raise UnknownError(
            f"{place}.epoch", f"must be at most {known.epochs}, the value's last, is {epoch}"
        )
    measure, minus = content.get("measure", DEFAULT_MEASURE), content.get("minus")
    if minus == measure:
        raise UnknownError(f"{place}.minus", f"{minus} minus itself is always 0")
    if minus and _kind(minus) != _kind(measure):
        raise UnknownError(f"{place}.minus", f"{minus} cannot be subtracted from {measure}")
    # The last epoch goes by one name, so that equal quantities are equal.
    epoch = None if epoch in (None, known.epochs) else int(epoch)
    return Quantity(content["experiment"], known.text, measure, minus, epoch)


def _kind(measure: str) -> str:
    """What a measure is: `accuracy`, `r2`, `rmse`, `loss` or `seconds`."""
    return measure.rpartition("_")[2]


def _compared(
    left: Quantity | float, right: Quantity | float, place: str, by: float = 0.0
) -> Greater:
    """A comparison that numbers can decide either way; UnknownError where none can."""
    if left == right:
        raise UnknownError(place, "compares a quantity with itself")
    sides = [side for side in (left, right) if isinstance(side, Quantity)]
    if len({_kind(side.measure) for side in sides}) > 1:
        measures = " with ".join(side.measure for side in sides)
        raise UnknownError(place, f"compares {measures}, which is another kind of number")
    low, high = _range(sides[0])
    for number in (side for side in (left, right) if isinstance(side, float)):
        if not low <= number <= high:
            raise UnknownError(place, f"{_told(sides[0])}, and never {number:g}{_hint(number)}")
    if abs(by) > high - min(low, 0):
        raise UnknownError(place, f"{_told(sides[0])}: no two are {abs(by):g} apart{_hint(by)}")
    return Greater(left, right, by)


def _range(quantity: Quantity) -> tuple[float, float]:
    """The least and the largest number that a quantity may be."""
    low, high = bounds_of(quantity.measure)
    return (low - high, high - low) if quantity.minus else (low, high)


def _told(quantity: Quantity) -> str:
    low, high = _range(quantity)
    name = f"{quantity.measure} minus {quantity.minus}" if quantity.minus else quantity.measure
    if math.isfinite(low) and math.isfinite(high):
        return f"{name} is from {low:g} to {high:g}"
    return f"{name} is at most {high:g}" if math.isfinite(high) else f"{name} is above 0"


def _hint(number: float) -> str:
    return f"; write {number / 100:g} for {number:g} %" if 1 < abs(number) <= 100 else ""


def _value(content: Mapping[str, Any], vocabulary: Vocabulary, place: str) -> Known:
    """The value that a quantity names."""
    experiment = content["experiment"]
    if experiment not in vocabulary:
        reason = f"unknown experiment {experiment[:60]!r}{suggestion(experiment, vocabulary)}"
        raise UnknownError(f"{place}.experiment", reason)
    if experiment == FINAL:
        if "value" in content:
            raise UnknownError(f"{place}.value", "the final model has no values; leave it out")
        return vocabulary[FINAL][0]
    if "value" not in content:
        raise UnknownError(place, "key 'value' is missing")
    return _known(content["value"], vocabulary[experiment], f"{place}.value")


def _known(value: Any, values: Sequence[Known], place: str) -> Known:
    for known in values:
        if value in (known.text, known.varied) or [value] == [*known.varied.values()]:
            return known
    raise UnknownError(
        place,
        f"unknown value {repr(value)[:60]}{suggestion(value, [known.text for known in values])}",
    )


def _gone_through(content: Mapping[str, Any], vocabulary: Vocabulary, place: str) -> list[Quantity]:
    """The quantities that `rising` goes through."""
    [(key, steps)] = content["over"].items()
    if key == "values" and "value" in content:
        raise UnknownError(f"{place}.value", "goes through the values; leave it out")
    singular, content = key[:-1], {key: item for key, item in content.items() if key != "over"}
    return [
        _quantity({**content, singular: step}, vocabulary, f"{place}.over.{key}[{i}]")
        for i, step in enumerate(steps)
    ]


def _extreme(
    content: Mapping[str, Any], vocabulary: Vocabulary, place: str
) -> tuple[Quantity, list[Quantity]]:
    """A quantity of one value, and that of each other value or of those `among` which it is."""
    one = _quantity(content, vocabulary, place)
    values = vocabulary[one.experiment]
    if "among" in content:
        values = [
            _known(value, values, f"{place}.among[{i}]") for i, value in enumerate(content["among"])
        ]
    others = [_of_value(known, content, place) for known in values if known.text != one.value]
    if not others:
        raise UnknownError(place, "there is no other value to compare with")
    return one, others
