"""What results/choice.json holds: the final model that results chose, and why (selection.py)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from study.support.files import read_text

NAME = "choice.json"

# Why nothing is chosen.
ALL_DIVERGED = "every replicate of every value diverged"


@dataclass(frozen=True)
class Reason:
    """The best value of an experiment, and which of its settings the final model takes.

    `accuracy` is its mean validation accuracy, a fraction; `lead` over `runner_up` and its
    corrected p-value `p` are None where there is nothing to compare it with, or no test.
    """

    experiment: str
    value: str
    accuracy: float
    runner_up: str | None
    lead: float | None
    p: float | None
    taken: list[str]


@dataclass(frozen=True)
class Choice:
    """The settings in which the final model differs from the baseline, and why.

    `experiments` is the digest of those, and of the searches, whose results chose it. Where they
    leave nothing to choose from, `unchosen` says why, and there is no final model.
    """

    settings: dict[str, Any]
    reasons: list[Reason]
    experiments: str
    unchosen: str | None = None

    def is_of(
        self, experiments: Sequence[Any], seeds: Sequence[int], searches: Sequence[Any] = ()
    ) -> bool:
        """Whether it was chosen by the results of these experiments, searches and seeds."""
        return self.experiments == digest(experiments, seeds, searches)

    def to_json(self) -> str:
        """The choice as results/choice.json holds it."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def digest(experiments: Sequence[Any], seeds: Sequence[int], searches: Sequence[Any] = ()) -> str:
    """A digest of a plan's experiments, seeds and searches, as they are or as in plan.json."""
    known = [experiments, seeds, *([searches] if searches else [])]
    asked = json.dumps(known, default=vars, sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def parse(text: str) -> Choice | None:
    """The choice that `to_json` wrote as `text`; None where it is none."""
    try:
        content = json.loads(text)
        reasons = [Reason(**reason) for reason in content["reasons"]]
        unchosen = content.get("unchosen")
        return Choice(content["settings"], reasons, content["experiments"], unchosen)
    except (ValueError, TypeError, KeyError):
        return None


def read_choice(path: Path) -> Choice | None:
    """The choice in `path`; None where there is none. StudyError where the disk fails."""
    try:
        return parse(read_text(path))
    except (OSError, UnicodeDecodeError):
        return None
