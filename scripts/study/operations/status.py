"""How far a study is, in words for a terminal: while it runs, after it was stopped, at the end."""

import math
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tabulate import tabulate

from study.data import datasets
from study.operations import job_logs
from study.operations.job_logs import FailedJob
from study.operations.plan_table import (
    differences,
    settings_in_words,
    steps_in_words,
)
from study.operations.progress import RunProgress, Situation, Snapshot, trained_since
from study.spec.plan import Plan
from study.spec.tasks import CLASSIFICATION, TASKS, Task, score_of, task_of
from study.support.durations import duration

LOST = "every seed diverged"

# Rows shown, where not all are asked for.
SHOWN = 20

# How a report names its plan: at the end of its Markdown, and in the head of its page, which is
# within so many characters.
PLAN_IN_REPORT = r'^(?:\[//\]: # \(plan |<meta name="plan" content=")([0-9a-f]{12})'
BEGINNING = 2000


class State(StrEnum):
    """What is going on with a study."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    NEW = "not begun"


@dataclass(frozen=True)
class StudyStatus:
    """A study's state, the jobs that failed beside trainings, and the reports, if it is finished.

    Reports are there while it runs too, if all of it has been told in them.
    """

    state: State
    failed_jobs: list[FailedJob]
    reports: list[Path]


def status_of(snapshot: Snapshot, plan: Plan, results: Path, is_running: bool) -> StudyStatus:
    """What is to be said first; `is_running` tells whether a workflow is at work."""
    failed_jobs = job_logs.failed(plan, results)
    reports = current_reports(plan, results) if snapshot.is_trained and not failed_jobs else []
    if is_running or snapshot.of(Situation.TRAINING):
        state = State.RUNNING
    elif reports:
        state = State.FINISHED
    elif snapshot.of(Situation.FAILED) or failed_jobs:
        state = State.FAILED
    else:
        state = State.UNFINISHED if snapshot.done else State.NEW
    return StudyStatus(state, failed_jobs, reports)


def counts(snapshot: Snapshot) -> str:
    """`9 of 15 runs finished, 512 of 950 epochs; about 2 min 10 s of training left`."""
    finished = len(snapshot.of(Situation.FINISHED))
    done, wanted = snapshot.done, snapshot.wanted
    told = f"{finished} of {len(snapshot.runs)} runs finished, {done} of {wanted} epochs"
    if snapshot.is_trained:
        return told
    left = snapshot.seconds_left
    if left is None:
        return f"{told}; the time left is told after the first epoch"
    return f"{told}; about {duration(left)} of training left"


def headings(task: Task) -> list[str]:
    """Those of the table: what matters most comes first, since a narrow terminal cuts the rest."""
    return ["run", "is", "epoch", task.symbol, "loss", "all seeds", "settings", "remark"]


def table(snapshot: Snapshot, baseline: dict, most: int = SHOWN) -> str:
    """The runs that train, failed or were interrupted, at most so many; empty where none is."""
    told = (Situation.FAILED, Situation.TRAINING, Situation.INTERRUPTED)
    runs = [run for situation in told for run in snapshot.of(situation)]
    if not runs:
        return ""
    cells = [_cells(run, snapshot, baseline) for run in runs[:most]]
    # The runs of a study are of one task.
    task = task_of(name for run in runs for name in run.entry or {})
    found = tabulate(cells, headings(task), tablefmt="plain", disable_numparse=True)
    more = f"\n… and {len(runs) - most} more" if len(runs) > most else ""
    return found + more


def _cells(seen: RunProgress, snapshot: Snapshot, baseline: dict) -> list[str]:
    entry = seen.entry or {}
    score, loss = entry.get(score_of("validation", entry)), entry.get("validation_loss")
    return [
        seen.run.run.rpartition("-")[2],
        str(seen.situation),
        f"{entry['epoch']} of {seen.run.epochs}" if entry else "",
        "" if score is None else written(score, task_of(entry)),
        "" if loss is None else f"{loss:.4f}",
        f"{seen.done} of {seen.wanted}",
        settings_in_words(differences(seen.run.settings, baseline)),
        _remark(seen, snapshot),
    ]


def written(score: float, task: Task) -> str:
    """A score: accuracy in per cent, R² with three decimals."""
    return f"{100 * score:.2f} %" if task is CLASSIFICATION else f"{score:.3f}"


def _remark(seen: RunProgress, snapshot: Snapshot) -> str:
    if seen.situation is not Situation.TRAINING:
        return seen.message
    place = "" if seen.holder.is_here else f"on {seen.holder.host}, "
    if seen.entry is None:
        return f"{place}in its first epoch"
    return f"{place}last epoch {duration(max(0, snapshot.time - seen.entry['time']))} ago"


def in_words(snapshot: Snapshot, plan: Plan, results: Path, is_running: bool, again: str) -> str:
    """All there is to say; `is_running` tells whether a workflow is at work, `again` starts one."""
    found = status_of(snapshot, plan, results, is_running)
    is_running = found.state is State.RUNNING
    failed = snapshot.of(Situation.FAILED)
    lines = [f"{found.state}: {counts(snapshot)}", table(snapshot, plan.baseline)]
    lines += map(steps_in_words, plan.stepwise)
    lines += [
        f"what went wrong: {results / 'runs' / seen.run.run / 'train.log'}"
        for seen in failed[:SHOWN]
    ]
    lines += [
        f"{path}: of another config, or of a part of it; {again} writes it anew"
        for path in foreign_reports(plan, results)
        if not is_running
    ]
    lines += [
        f"{job.name} failed: {job.message}\n  its log: {job.log}"
        for job in found.failed_jobs[:SHOWN]
    ]
    if found.reports:
        lines += [*headline(plan, results), *map(_place, found.reports)]
    elif is_running and snapshot.is_trained and _is_searched(plan):
        lines.append("what follows from the training is being made")
    elif not is_running:
        lines.append(f"next: {again}{_what_it_does(snapshot, plan)}")
    return "\n".join(filter(None, lines))


def closing(snapshot: Snapshot, plan: Plan, results: Path, since: float) -> str:
    """What a call of the workflow came to that began in the second `since` and is over now.

    Reports that it has written it has named itself.
    """
    # In its first second a call trains nothing; one before it may have done so.
    trained = trained_since(results / "runs", since + 1)
    took = duration(snapshot.time - since)
    reports = [path for path in current_reports(plan, results) if path.stat().st_mtime < since]
    lines = [
        *headline(plan, results),
        *map(_place, reports),
        f"in {took}: {trained} epochs trained, {max(0, snapshot.done - trained)} reused",
    ]
    return "\n".join(lines)


def _place(report: Path) -> str:
    return f"report: {report.resolve()}"


def _is_searched(plan: Plan) -> bool:
    return all(each.is_finished for each in plan.stepwise)


def _what_it_does(snapshot: Snapshot, plan: Plan) -> str:
    if snapshot.is_trained and not _is_searched(plan):
        return " (takes the next step, which goes by results)"
    if snapshot.is_trained:
        return " (makes the report; nothing is left to train)"
    return " (goes on from the saved epochs)" if snapshot.done else ""


def current_reports(plan: Plan, results: Path) -> list[Path]:
    """The reports, if all are there, of this plan, and no older than what they tell."""
    reports = [
        results / f"report.{language}.{suffix}"
        for language in plan.languages
        for suffix in ("html", "md")
    ]
    try:
        collected = (results / "metrics.parquet").stat().st_mtime_ns
        are_younger = all(path.stat().st_mtime_ns >= collected for path in reports)
    except OSError:
        return []
    return sorted(reports) if are_younger and not foreign_reports(plan, results) else []


def foreign_reports(plan: Plan, results: Path) -> list[Path]:
    """The reports that another plan was made into: they name its digest, or none."""
    reports = [path for language in plan.languages for path in results.glob(f"report.{language}.*")]
    digest = plan.digest
    return sorted(path for path in reports if _digest_in(path) != digest)


def _digest_in(report: Path) -> str | None:
    """The plan's digest at the end of a Markdown report, or at the beginning of a page."""
    with report.open(encoding="utf-8", errors="replace") as file:
        text = file.read() if report.suffix == ".md" else file.read(BEGINNING)
    named = re.search(PLAN_IN_REPORT, text, re.MULTILINE)
    return named[1] if named else None


def headline(plan: Plan, results: Path) -> list[str]:
    """What came out: the final model's accuracy, or the best value of each experiment."""
    try:
        rows = pq.read_table(results / "summary.parquet").to_pylist()
    except (OSError, pa.ArrowException):
        return []
    if plan.final:
        scores = [_score(row) for row in rows if row["experiment"] == "final"]
        return [*(f"final model: {score}" for score in scores), *_tested(plan, results)]
    best: dict[str, dict] = {}
    for row in rows:
        known = best.get(row["experiment"])
        if known is None or _rank(row) < _rank(known):
            best[row["experiment"]] = row
    return [
        f"{name}: best is {row['value']}, {_score(row)}" if row["n"] else f"{name}: {LOST}"
        for name, row in best.items()
    ]


def _rank(row: dict) -> tuple[bool, int, int, float]:
    """The best first, as results.experiments.rank has it: what lost seeds comes after others.

    Of an experiment that adds seeds, what has fewer of them was left out.
    """
    mean = row[f"{score_of('validation', row)}_mean"]
    return mean is None, -row["n"] - row["diverged"], row["diverged"], -(mean or 0.0)


def _score(row: dict) -> str:
    task, score = task_of(row), score_of("validation", row)
    mean, low, high = (row[f"{score}_{name}"] for name in ("mean", "low", "high"))
    what = f"validation {task.symbol}"
    if mean is None:
        return LOST
    seeds = "one seed" if row["n"] == 1 else f"{row['n']} seeds"
    if row["diverged"]:
        seeds += f", {row['diverged']} more diverged"
    if low is None:
        return f"{what} {written(mean, task)} ({seeds})"
    if math.isclose(high - mean, mean - low, rel_tol=1e-6):
        # The unit stands once, behind both numbers.
        half = written(mean - low, task)
        return f"{what} {written(mean, task).removesuffix(' %')} ± {half} ({seeds}, 95 % interval)"
    ends = f"{written(low, task)} to {written(high, task)}"
    return f"{what} {written(mean, task)} ({seeds}, 95 % interval from {ends})"


def _tested(plan: Plan, results: Path) -> list[str]:
    """The score on the test examples, where these are others than those of validation."""
    if plan.validation == "test":
        return []
    # Takes a second to import, and is needed only here.
    from study.final import evaluation

    dataset = datasets.describe(plan.dataset)
    data = dataset.load(results / "data" / dataset.name)
    found = evaluation.read_evaluation(results / "final.safetensors", data)
    if not found.seeds:
        return []
    task = TASKS[data.task]
    score = written(found.scores_by_seed.mean(), task)
    return [f"final model: test {task.symbol} {score}, mean of the seeds"]
