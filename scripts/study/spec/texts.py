"""In which words a study is told: of its data, of its task, and of its model's own settings."""

from study.data import datasets
from study.spec.plan import Plan
from study.support.language import Language


def language_of(plan: Plan, code: str) -> Language:
    """The language `code`, as a report of `plan` or a figure of it takes its words."""
    dataset = datasets.describe(plan.dataset)
    return Language(code, dataset.noun, plan.model.texts, dataset.task)
