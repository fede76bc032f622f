"""What of the plan each part of the results is made from.

A part's program reads its share and no more, so that nothing else of the plan can change what it
makes. A change of the share makes the part anew; a change elsewhere in the plan does not.
"""

import json
from dataclasses import replace
from typing import Any

from study.spec.plan import Plan

# Fields of the plan, by part. A part that is not named here is made from all of them.
FIELDS = {
    "choice": (
        *("model", "dataset", "validation", "seeds", "baseline"),
        *("experiments", "searches", "final", "runs"),
    ),
    "trials": ("model", "searches"),
    "search": ("model", "dataset", "languages", "searches"),
    "step": ("model", "dataset", "validation", "experiments", "searches"),
    "metrics": ("model", "runs"),
    "summary": ("model", "dataset", "validation", "seeds", "experiments", "final"),
    "comparisons": ("model", "experiments"),
    "claims": ("model", "seeds", "experiments", "final", "claims"),
    "evaluation": ("model", "dataset", "seeds", "final", "runs"),
    "final": (
        *("model", "dataset", "validation", "seeds", "languages"),
        *("experiments", "final", "runs"),
    ),
    "mosaic": ("dataset", "languages"),
    "glance": ("model", "dataset", "seeds", "languages", "baseline", "experiments"),
    "experiment": (
        *("model", "dataset", "validation", "seeds", "languages"),
        *("experiments", "final", "runs"),
    ),
}


def share(plan: Plan, part: str) -> dict[str, Any]:
    """The fields of `plan` that `part` is made from.

    `part` is a key of FIELDS or another name; `experiment.<name>` is that experiment's figure,
    `trials.<search>` a search's table, `search.<search>` its figure, `step.<name>.<step>` what a
    search, or an experiment that adds seeds, asks for in a step.
    """
    kind, _, name = part.partition(".")
    if kind == "experiment":
        plan = plan.only(name)
    elif kind == "choice":
        plan = plan.with_own_runs(plan.experiments, None, plan.searches)
    elif kind in ("trials", "search"):
        plan = replace(plan, searches=[each for each in plan.searches if each.name == name])
    elif kind == "step":
        name, _, step = name.partition(".")
        plan = replace(
            plan,
            experiments=[each.until(step) for each in plan.experiments if each.name == name],
            searches=[each.until(step) for each in plan.searches if each.name == name],
        )
    elif kind in ("final", "evaluation"):
        plan = plan.with_own_runs([], plan.final)
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
    return json.dumps({"made_by": made_by, **shared}, default=vars, ensure_ascii=False) + "\n"
