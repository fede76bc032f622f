"""What of the plan a part is made from: what it reads, and nothing that it does not."""

import json

import pytest

from study.spec import config, plan, shares

CONFIG = {
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2]}},
        "length": {"vary": {"epochs": [5, 20]}},
    },
    "final": {"dropout": 0.2, "epochs": 10},
}


def planned(**changes):
    return plan.resolve(config.validated(CONFIG | changes, "config"))


def share(part, **changes):
    return shares.as_text(planned(**changes), part, "code", "data")


PARTS = [*shares.FIELDS, "experiment.dropout", "report", "page.en", "model", "plan"]
PARTS.remove("experiment")

# Parts that the change of a config leaves as they are.
UNTOUCHED = [
    ({"seeds": 7}, {"mosaic", "summary", "comparisons"}),
    ({"final": {"dropout": 0.5}}, {"mosaic", "choice", "comparisons", "experiment.dropout"}),
    (
        {"report": {"languages": ["en"]}},
        {"choice", "metrics", "summary", "comparisons", "claims", "evaluation"},
    ),
    (
        {"experiments": {"dropout": CONFIG["experiments"]["dropout"]}},
        {"mosaic", "final", "evaluation", "experiment.dropout"},
    ),
    (
        {"report": {"early_stopping": {"patience": 9}}},
        {*PARTS} - {"report", "page.en", "model", "plan"},
    ),
]


@pytest.mark.parametrize(("changes", "untouched"), UNTOUCHED)
def test_a_part_changes_with_what_it_is_made_from_alone(changes, untouched):
    same = {part for part in PARTS if share(part) == share(part, **changes)}
    assert same == untouched


def test_code_and_class_names_are_part_of_it():
    known = planned()
    assert shares.as_text(known, "metrics", "code", "data") == shares.as_text(
        known, "metrics", "code", "other"
    )
    for part in PARTS:
        assert share(part) != shares.as_text(known, part, "other", "data")
    for part in ("mosaic", "summary", "report"):
        assert share(part) != shares.as_text(known, part, "code", "other")


def test_the_whole_plan_comes_out_as_plan_json_has_it():
    whole = json.loads(share("plan"))
    assert shares.plan_json(whole) == planned().to_json()
    assert shares.digest(whole) == shares.digest(vars(planned()))
    assert shares.digest(whole) != shares.digest(vars(planned(seeds=7)))
    assert set(json.loads(share("plan"))) == {"made_by", *vars(planned())}
