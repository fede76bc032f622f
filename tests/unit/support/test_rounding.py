"""A number is the same in Markdown, on the page and in a chart's tooltip."""

import itertools
import math
from decimal import ROUND_HALF_UP, Decimal

import pytest

from study.support.language import HUGE, Language, available, for_browser, rounded


def browser(number, digits):
    """What JavaScript's toFixed writes of a number: the binary one, rounded, a half to above."""
    return str(Decimal(abs(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))


def of_two_seeds(images):
    """All means of two neighbouring accuracies on so many images, in per cent."""
    counts = range(images + 1)
    for one, other in [*((n, n) for n in counts), *itertools.pairwise(counts)]:
        yield 100 * ((one / images + other / images) / 2)


@pytest.mark.parametrize("images", [70, 600, 10_000])
def test_means_of_two_seeds_are_told_alike(images):
    language = Language("en")
    plain = 0
    for mean in of_two_seeds(images):
        told = language.number(mean, 2)
        number = for_browser(mean, 2)
        assert browser(number, 2) == told
        assert number == pytest.approx(mean, abs=1.01e-4)
        plain += browser(mean, 2) != told
    assert plain or images != 10_000, "browsers would round these alike anyhow"


@pytest.mark.parametrize("code", available())
def test_what_is_known_to_have_differed(code):
    assert Language(code).number(70.025, 2).replace(",", ".") == "70.02"
    assert browser(70.025, 2) == "70.03"
    assert browser(for_browser(70.025, 2), 2) == "70.02"


@pytest.mark.parametrize(
    ("value", "digits", "told"),
    [
        (0.0005, 3, "0.000"),
        (0.0015, 3, "0.002"),
        (-70.025, 2, "-70.02"),
        (70.02499999, 2, "70.02"),
        (70.02500001, 2, "70.03"),
        (0.0, 2, "0.00"),
        (123456789.125, 2, "123456789.12"),
    ],
)
def test_halves_go_to_the_even_number(value, digits, told):
    assert str(rounded(value, digits)) == told
    assert browser(for_browser(value, digits), digits) == told.lstrip("-")
    assert math.copysign(1, for_browser(value, digits)) == math.copysign(1, value)


def test_a_number_without_end_stays():
    assert for_browser(10.0**HUGE * 3, 3) == 10.0**HUGE * 3
