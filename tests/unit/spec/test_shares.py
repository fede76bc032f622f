"""What of the plan a part is made from: what it reads, and nothing that it does not."""

import json

import pytest

from study.spec import config, shares
from study.spec.plan import Plan
from study.spec.resolution import resolve

CONFIG = {
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2]}},
        "length": {"vary": {"epochs": [5, 20]}},
    },
    "final": {"dropout": 0.2, "epochs": 10},
}


BY_NEED = {"batch": {"vary": {"batch_size": [32, 64]}, "seeds": {"start": 3, "most": 9}}}

SEARCH = {"tuned": {"space": {"dropout": [0.0, 0.2, 0.4]}, "trials": 2}}


def planned(**changes):
    return resolve(config.validated(CONFIG | {"search": SEARCH} | changes, "config"))


def share(part, **changes):
    return shares.as_text(planned(**changes), part, "code", "data")


# Of the parts that there are several of, one.
NAMES = {
    "experiment": "experiment.dropout",
    "trials": "trials.tuned",
    "search": "search.tuned",
    "step": "step.tuned.trials-0001",
}

PARTS = [*(NAMES.get(part, part) for part in shares.FIELDS), "report", "page.en", "model", "plan"]

STEP, FIGURE = NAMES["step"], NAMES["search"]

# Parts that the change of a config leaves as they are.
UNTOUCHED = [
    ({"seeds": 7}, {"mosaic", STEP}),
    (
        {"final": {"dropout": 0.5}},
        {
            *("mosaic", "choice", "comparisons", "glance", "experiment.dropout"),
            *("trials.tuned", FIGURE, STEP),
        },
    ),
    (
        {"report": {"languages": ["en"]}},
        {
            "choice",
            "metrics",
            "summary",
            "comparisons",
            "claims",
            "evaluation",
            "trials.tuned",
            STEP,
        },
    ),
    (
        {"experiments": {"dropout": CONFIG["experiments"]["dropout"]}},
        {"mosaic", "final", "evaluation", "experiment.dropout", "trials.tuned", FIGURE, STEP},
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
    assert set(whole) == {"made_by", *vars(planned())}
    assert Plan.from_json(whole) == planned()
    assert Plan.from_json(whole).to_json() == planned().to_json()
    assert planned().digest != planned(seeds=7).digest


def test_a_step_of_further_seeds_is_made_from_its_experiment_alone():
    both = CONFIG["experiments"] | BY_NEED
    step = "step.batch.seeds-0005"
    known = share(step, experiments=both)
    assert share(step, experiments=BY_NEED) == share(step, experiments=both, final="best") == known
    [experiment] = Plan.from_json(json.loads(known)).experiments
    assert [each.name for each in experiment.steps] == ["seeds-0005"]
    other = {"batch": BY_NEED["batch"] | {"seeds": {"start": 3, "most": 10}}}
    assert share(step, experiments=other) != known


@pytest.mark.parametrize("part", shares.FIELDS)
def test_what_a_part_is_not_made_of_cannot_be_read(part):
    found = Plan.from_json(json.loads(share(NAMES.get(part, part))))
    assert vars(found).keys() == set(shares.FIELDS[part])
    with pytest.raises(AttributeError):
        _ = found.notes
