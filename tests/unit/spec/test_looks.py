"""The looks of an experiment that adds seeds, and which seeds these are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.spec.looks import enough, looks


@pytest.mark.parametrize(
    ("start", "most", "expected"),
    [
        (3, 20, [3, 6, 11, 20]),
        (3, 3, [3]),
        (3, 4, [3, 4]),
        (2, 5, [2, 5]),
        (2, 8, [2, 4, 8]),
        (5, 100, [5, 11, 22, 47, 100]),
    ],
)
def test_looks_come_at_about_twice_as_many_seeds(start, most, expected):
    assert looks(start, most) == expected


@given(st.integers(2, 1000), st.integers(2, 1000))
def test_looks_ascend_from_start_to_most(one, other):
    start, most = sorted((one, other))
    found = looks(start, most)
    assert found[0] == start
    assert found[-1] == most
    assert found == sorted(set(found))
    assert len(found) <= 10


def test_further_seeds_are_the_least_numbers_that_the_study_does_not_have():
    assert enough([0, 1, 2], 5) == [0, 1, 2, 3, 4]
    assert enough([7, 1], 5) == [7, 1, 0, 2, 3]
    assert enough([7, 1, 0], 2) == [7, 1]


@given(st.lists(st.integers(0, 30), min_size=1, unique=True), st.integers(1, 40), st.integers(1, 9))
def test_more_seeds_begin_with_fewer(seeds, count, more):
    found = enough(seeds, count + more)
    assert found[:count] == enough(seeds, count)
    assert len(set(found)) == count + more
