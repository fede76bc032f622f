"""Predicates say what their form says, and what cannot be told is never told."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.spec.predicates import (
    All,
    Greater,
    Known,
    Not,
    Quantity,
    Some,
    UnknownError,
    Verdict,
    comparisons,
    deciding,
    read_predicate,
    verdict,
)

HOLDS, FAILS, OPEN = Verdict.HOLDS, Verdict.FAILS, Verdict.OPEN

VOCABULARY = {
    "rates": [Known(str(rate), {"learning_rate": rate}, 10) for rate in (0.1, 0.01, 0.001)],
    "hidden": [
        Known("64-32", {"hidden": [64, 32]}, 10),
        Known("128-64", {"hidden": [128, 64]}, 10),
    ],
    "grid": [
        Known(f"dropout={p}, batch_size={n}", {"dropout": p, "batch_size": n}, 5)
        for p, n in product((0.0, 0.2), (20, 50))
    ],
    "epochs": [Known(str(n), {"epochs": n}, n) for n in (2, 4, 8)],
    "final": [Known("final", {}, 30)],
}


def rate(value, **other):
    return Quantity("rates", str(value), **other)


def parsed(**form):
    return read_predicate(form, VOCABULARY, "predicate")


ONE = {"experiment": "rates", "value": 0.1}
OTHER = {"experiment": "rates", "value": 0.01}


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"greater": {"left": ONE, "right": OTHER}}, [Greater(rate(0.1), rate(0.01))]),
        ({"greater": {"left": ONE, "right": 0.5, "by": -0.1}}, [Greater(rate(0.1), 0.5, -0.1)]),
        (
            {"close": {"left": ONE, "right": OTHER, "within": 0.02}},
            [Greater(rate(0.1), rate(0.01), -0.02), Greater(rate(0.01), rate(0.1), -0.02)],
        ),
        (
            {"between": {"quantity": ONE, "low": 0.2, "high": 0.4}},
            [Greater(rate(0.1), 0.2), Greater(0.4, rate(0.1))],
        ),
        ({"highest": ONE}, [Greater(rate(0.1), rate(0.01)), Greater(rate(0.1), rate(0.001))]),
        ({"lowest": ONE | {"among": [0.001]}}, [Greater(rate(0.001), rate(0.1))]),
        ({"lowest": ONE | {"among": [0.1, 0.001]}}, [Greater(rate(0.001), rate(0.1))]),
        (
            {"highest": ONE | {"measure": "train_loss", "epoch": 3, "among": [0.01]}},
            [Greater(*(rate(value, measure="train_loss", epoch=3) for value in (0.1, 0.01)))],
        ),
        (
            {"rising": {"experiment": "rates", "over": {"values": [0.1, 0.01, 0.001]}}},
            [Greater(rate(0.01), rate(0.1)), Greater(rate(0.001), rate(0.01))],
        ),
        (
            {"rising": {"experiment": "final", "over": {"epochs": [20, 30]}}},
            [Greater(Quantity("final", "final"), Quantity("final", "final", epoch=20))],
        ),
        (
            {"rising": ONE | {"over": {"epochs": [2, 4]}, "measure": "train_loss"}},
            [
                Greater(
                    rate(0.1, measure="train_loss", epoch=4),
                    rate(0.1, measure="train_loss", epoch=2),
                )
            ],
        ),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else None,
)
def test_a_form_comes_down_to_its_comparisons(form, expected):
    predicate = parsed(**form)
    assert comparisons(predicate) == expected
    assert isinstance(predicate, Greater if "greater" in form else All)


def test_all_any_and_not_join_what_is_within():
    inner = {"greater": {"left": ONE, "right": OTHER}}
    comparison = Greater(rate(0.1), rate(0.01))
    assert parsed(all=[inner, {"not": inner}]) == All((comparison, Not(comparison)))
    assert parsed(any=[inner]) == Some((comparison,))


@pytest.mark.parametrize(
    ("experiment", "value", "text"),
    [
        ("rates", 1e-3, "0.001"),
        ("rates", "0.001", "0.001"),
        ("hidden", [128, 64], "128-64"),
        ("hidden", "128-64", "128-64"),
        ("epochs", 8.0, "8"),
        ("grid", {"batch_size": 50, "dropout": 0}, "dropout=0.0, batch_size=50"),
        ("grid", "dropout=0.2, batch_size=20", "dropout=0.2, batch_size=20"),
    ],
)
def test_a_value_may_be_written_as_in_the_config_or_as_in_the_summary(experiment, value, text):
    predicate = parsed(greater={"left": {"experiment": experiment, "value": value}, "right": 0})
    assert predicate.left == Quantity(experiment, text)


def test_the_last_epoch_has_one_name():
    assert parsed(greater={"left": ONE | {"epoch": 10}, "right": 0}).left == rate(0.1)


@pytest.mark.parametrize(
    ("form", "place", "reason"),
    [
        ({"experiment": "rate", "value": 0.1}, "left.experiment", "did you mean 'rates'?"),
        ({"experiment": "xyz", "value": 1}, "left.experiment", "known are rates, hidden, grid"),
        (ONE | {"value": 0.2}, "left.value", "unknown value 0.2; did you mean '0.1'?"),
        (ONE | {"value": [64]}, "left.value", "unknown value [64]; known are 0.1, 0.01, 0.001"),
        ({"experiment": "rates"}, "left", "key 'value' is missing"),
        (ONE | {"epoch": 11}, "left.epoch", "must be at most 10, the value's last, is 11"),
        ({"experiment": "epochs", "value": 4, "epoch": 5}, "left.epoch", "must be at most 4"),
        ({"experiment": "final", "epoch": 31}, "left.epoch", "must be at most 30"),
        ({"experiment": "final", "value": 1}, "left.value", "the final model has no values"),
        (ONE | {"measure": "seconds", "minus": "train_loss"}, "left.minus", "cannot be subtracted"),
        (0.5, "", "compares two numbers"),
    ],
)
def test_what_the_study_does_not_have_is_told_with_its_place(form, place, reason):
    with pytest.raises(UnknownError) as caught:
        parsed(any=[{"not": {"greater": {"left": form, "right": 0.5}}}])
    start = f"predicate.any[0].not.greater{'.' if place else ''}{place}: "
    assert str(caught.value).startswith(start)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ({"left": ONE, "right": ONE}, "compares a quantity with itself"),
        ({"left": ONE, "right": ONE | {"epoch": 10}}, "compares a quantity with itself"),
        ({"left": ONE, "right": 90}, "is from 0 to 1, and never 90; write 0.9 for 90 %"),
        ({"left": ONE, "right": OTHER, "by": 2}, "no two are 2 apart; write 0.02 for 2 %"),
        (
            {"left": ONE, "right": OTHER | {"measure": "validation_loss"}},
            "which is another kind of number",
        ),
    ],
)
def test_a_comparison_that_nothing_can_decide_is_told(form, reason):
    """Issue 18, entry 34."""
    with pytest.raises(UnknownError) as caught:
        parsed(greater=form)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            {"rising": {"experiment": "epochs", "over": {"values": [2, 3]}}},
            "rising.over.values[1].value: unknown value 3",
        ),
        (
            {"rising": {"experiment": "final", "over": {"epochs": [5, 40]}}},
            "rising.over.epochs[1].epoch: must be at most 30",
        ),
        (
            {"rising": ONE | {"over": {"values": [0.1, 0.01]}}},
            "rising.value: goes through the values; leave it out",
        ),
        ({"highest": ONE | {"among": [0.2]}}, "highest.among[0]: unknown value 0.2"),
        ({"highest": ONE | {"among": [0.1]}}, "highest: there is no other value"),
        ({"between": {"quantity": ONE, "low": 1, "high": 1}}, "between: nothing is above"),
    ],
)
def test_faults_of_the_shorter_forms_are_told_too(form, message):
    with pytest.raises(UnknownError) as caught:
        parsed(**form)
    assert str(caught.value).startswith(f"predicate.{message}")


def test_the_final_model_has_no_other_values():
    with pytest.raises(UnknownError, match="the final model has no values"):
        parsed(lowest={"experiment": "final", "value": 1})


# Kleene's logic.

ATOMS = [Greater(Quantity("rates", str(i)), 0.5) for i in range(5)]
PREDICATES = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Some, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
ASSIGNMENTS = st.fixed_dictionaries({atom: st.sampled_from(Verdict) for atom in ATOMS})


@pytest.mark.parametrize(
    ("one", "other", "both", "either"),
    [
        (HOLDS, HOLDS, HOLDS, HOLDS),
        (HOLDS, OPEN, OPEN, HOLDS),
        (HOLDS, FAILS, FAILS, HOLDS),
        (OPEN, OPEN, OPEN, OPEN),
        (OPEN, FAILS, FAILS, OPEN),
        (FAILS, FAILS, FAILS, FAILS),
    ],
)
def test_the_tables_of_three_valued_logic(one, other, both, either):
    values = {ATOMS[0]: one, ATOMS[1]: other}
    for pair in (tuple(ATOMS[:2]), tuple(ATOMS[1::-1])):
        assert verdict(All(pair), values.get) is both
        assert verdict(Some(pair), values.get) is either


@given(st.lists(PREDICATES, min_size=1, max_size=4).map(tuple), ASSIGNMENTS)
def test_de_morgan_and_double_negation(parts, values):
    none = verdict(Not(Some(parts)), values.get)
    assert none is verdict(All(tuple(map(Not, parts))), values.get)
    assert verdict(Not(Not(parts[0])), values.get) is verdict(parts[0], values.get)


@given(PREDICATES, ASSIGNMENTS, st.sets(st.sampled_from(ATOMS)))
def test_knowing_less_never_turns_a_verdict_into_another(predicate, values, forgotten):
    less = values | dict.fromkeys(forgotten, OPEN)
    assert verdict(predicate, less.get) in (verdict(predicate, values.get), OPEN)


@given(PREDICATES, ASSIGNMENTS, ASSIGNMENTS)
def test_a_verdict_rests_on_the_comparisons_that_decide_it(predicate, values, others):
    """Whatever the rest comes to, it stays; a verdict that is open rests on open ones alone."""
    found = verdict(predicate, values.get)
    resting = deciding(predicate, values.get)
    assert resting <= set(comparisons(predicate))
    assert resting
    if found is OPEN:
        assert {values[atom] for atom in resting} == {OPEN}
    else:
        assert OPEN not in {values[atom] for atom in resting}
        mixed = others | {atom: values[atom] for atom in resting}
        assert verdict(predicate, mixed.get) is found
