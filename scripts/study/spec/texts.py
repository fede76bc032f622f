"""In which words a study is told: those of its data, and of its model's own settings."""

from study.data import datasets
from study.spec.plan import Plan
from study.support.language import Language


def language_of(plan: Plan, code: str) -> Language:
    """The language `code`, as a report of `plan` or a figure of it takes its words."""
    return Language(code, datasets.describe(plan.dataset).noun, plan.model.texts)
