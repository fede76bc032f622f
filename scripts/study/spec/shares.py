"""What of the plan each part of the results is made from.

A part's program reads its share and no more, so that nothing else of the plan can change what it
makes. A change of the share makes the part anew; a change elsewhere in the plan does not.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from study.spec.plan import Plan, Value

# Fields of the plan, by part. A part that is not named here is made from all of them.
FIELDS = {
    "choice": (
        *("dataset", "validation", "seeds", "baseline"),
        *("experiments", "final", "runs"),
    ),
    "metrics": ("runs",),
    "summary": ("dataset", "validation", "experiments", "final"),
    "comparisons": ("experiments",),
    "claims": ("seeds", "experiments", "final", "claims"),
    "evaluation": ("dataset", "final", "runs"),
    "final": ("dataset", "validation", "languages", "experiments", "final", "runs"),
    "mosaic": ("dataset", "languages"),
    "experiment": (
        *("dataset", "validation", "seeds", "languages"),
        *("experiments", "final", "runs"),
    ),
}

# Beside these fields.
MADE_BY = "made_by"


def share(plan: Plan, part: str) -> dict[str, Any]:
    """The fields of `plan` that `part` is made from.

    `part` is a key of FIELDS or another name; `experiment.<name>` is that experiment's figure.
    """
    kind, _, name = part.partition(".")
    if kind == "experiment":
        named = [each for each in plan.experiments if each.name == name]
        plan = _with_own_runs(replace(plan, experiments=named, final=None))
    elif kind == "choice":
        plan = _with_own_runs(replace(plan, final=None))
    elif kind in ("final", "evaluation"):
        plan = _with_own_runs(replace(plan, experiments=[]))
    elif kind == "metrics":
        # At which epochs weights are kept is no matter of what is measured.
        plan = replace(plan, runs=[replace(run, kept_epochs=[]) for run in plan.runs])
    return {name: getattr(plan, name) for name in FIELDS.get(kind, vars(plan))}


def as_text(plan: Plan, part: str, code: str, dataset: str) -> str:
    """The content of the file that `part` is made from.

    That is its share, and the digests of its program's `code` and of the description of the
    `dataset`, where the part names one: class names stand in figures and reports.
    """
    shared = share(plan, part)
    made_by = {"code": code} | ({"description": dataset} if "dataset" in shared else {})
    # In one line: json writes that in a tenth of the time.
    return json.dumps({MADE_BY: made_by, **shared}, default=vars, ensure_ascii=False) + "\n"


def plan_json(shared: Mapping[str, Any]) -> str:
    """The content of plan.json, from what `as_text` wrote of the whole plan, or from itself."""
    content = {key: value for key, value in shared.items() if key != MADE_BY}
    return json.dumps(content, default=vars, indent=1, ensure_ascii=False) + "\n"


def digest(shared: Mapping[str, Any]) -> str:
    """The first 12 hexadecimal digits of the SHA-256 of plan.json; reports name it."""
    return hashlib.sha256(plan_json(shared).encode()).hexdigest()[:12]


def _with_own_runs(plan: Plan) -> Plan:
    """The plan with the runs alone that its experiments and final model name, as long as asked."""
    values: list[Value] = [value for each in plan.experiments for value in each.values]
    epochs: dict[str, int] = {}
    for value in [*values, *filter(None, [plan.final])]:
        epochs[value.run] = max(value.epochs, epochs.get(value.run, 0))
    runs = [
        replace(run, epochs=epochs[run.run], kept_epochs=[])
        for run in plan.runs
        if run.run in epochs
    ]
    return replace(plan, runs=runs)
