"""What a check finds, and the study whose results are checked.

A check is a generator of findings, which ends early with one of the errors below. One that finds
nothing says that its subject is right.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from study.data import datasets
from study.runs import checkpoint, fingerprint
from study.runs.completeness import finished_part
from study.spec import choice
from study.spec.plan import Plan
from study.support import receipts
from study.support.errors import StudyError

OK, WRONG, OUTDATED, SKIPPED = "ok", "WRONG", "outdated", "skipped"

AGAIN = "remove it and run the workflow again"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    `ok`, `WRONG` with the file and what to do, `outdated` where another version of the program
    made the file, or `skipped` with the why.
    """

    verdict: str
    text: str


class WrongError(Exception):
    """Which file is wrong, how, and what to do."""


class UnableError(Exception):
    """Why a check has nothing to go by."""


class CheckedStudy:
    """A plan, and the files that its results lie in: those that are reported, in `results`."""

    def __init__(self, plan: Plan, results: Path):
        self.results = results
        self.dataset = datasets.describe(plan.dataset)
        self.learning = fingerprint.learning(
            self.dataset.digest,
            plan.validation,
            self.dataset.outputs,
            plan.model,
            self.dataset.task,
        )
        self.data = results / "data" / self.dataset.name
        self.runs = results / "runs"
        self.plan_file = results / "plan.json"
        self.metrics = results / "metrics.parquet"
        self.summary = results / "summary.parquet"
        self.comparisons = results / "comparisons.parquet"
        self.choice = results / choice.NAME
        self.claims = results / "claims.parquet"
        self.evaluation = results / "final.safetensors"
        self.receipts = results / receipts.RECEIPTS
        self.plan = self._reported(plan)

    def _reported(self, plan: Plan) -> Plan:
        """The part of `plan` that is reported, where plan.json says that something is missing."""
        try:
            if json.loads(self.plan_file.read_bytes())["missing"]:
                return finished_part(plan, self.runs, self.learning)
        except (OSError, ValueError, LookupError, TypeError, StudyError):
            pass
        return plan

    def own(self, name: str) -> Path:
        """Where a file lies that a receipt names, as the workflow calls it: `results/…`."""
        return self.results / Path(name).relative_to("results")

    @cached_property
    def _noted(self) -> set[Path]:
        """All files that a receipt names as made."""
        known = map(receipts.read_receipt, self.receipts.glob("*.json"))
        return {self.own(name) for made in known if made for name in made.outputs}

    def unlike(self, path: Path, problem: str, remedy: str = AGAIN) -> Finding:
        """A file that is not what this code makes: outdated where no receipt names it.

        Versions of the program before receipts made files of another form.
        """
        if path in self._noted:
            return Finding(WRONG, f"{path}: {problem}; {remedy}")
        return Finding(
            OUTDATED, f"{path}: made by another version of the program; run the workflow again"
        )


@contextlib.contextmanager
def reading(path: Path, remedy: str = AGAIN) -> Iterator[None]:
    """Tell of any failure as one of the file's: damage can make a library fail in any way."""
    try:
        yield
    except FileNotFoundError:
        raise WrongError(f"{path}: is missing; run the workflow again") from None
    except checkpoint.DamagedStateError as error:
        raise WrongError(f"{error}; {remedy}") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise WrongError(f"{path}: cannot be read ({reason}); {remedy}") from None


def wrong(path: Path, problem: str, remedy: str = AGAIN) -> Finding:
    """A file that is wrong, whatever made it."""
    return Finding(WRONG, f"{path}: {problem}; {remedy}")


def other_content(
    expected: Any,
    path: Path,
    read: Callable[[Path], Any],
    problem: str,
    remedy: str = AGAIN,
    told: Callable[[Path, str, str], Finding] = wrong,
) -> Iterator[Finding]:
    """What is wrong with `path`, if `read` does not find there what is expected.

    `told` makes the finding where it can be read.
    """
    try:
        with reading(path, remedy):
            same = read(path) == expected
    except WrongError as error:
        yield Finding(WRONG, str(error))
    else:
        if not same:
            yield told(path, problem, remedy)
