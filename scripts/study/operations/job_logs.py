"""What the workflow's jobs left in their logs: which of them failed, and why.

A job that fails has no outputs, and its log ends with what its program said. The table below names
both for every rule but `train`, whose runs tell by themselves (runs/failures.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from study.data import datasets
from study.runs import attempts
from study.spec import choice, searches
from study.spec.plan import Plan
from study.support import receipts

# An error's message is shown up to so many lines.
SHOWN_LINES = 10

TRACEBACK = "Traceback (most recent call last):"

KILLED = (
    f"was killed without a word ({attempts.KILLED_BY}); "
    "run it again, with fewer cores where memory is short"
)

# Here Snakemake says that it is at work, or was when it was killed itself.
LOCKS = ".snakemake/locks"
# Here it begins a log at each call.
CALLS = ".snakemake/log"


@dataclass(frozen=True)
class Job:
    """A job: its rule, what tells it from others of the rule, its log, and one of its outputs.

    `receipt` is what its program writes at its end, None where it writes none.
    """

    rule: str
    of: str
    log: Path
    output: Path
    receipt: Path | None


@dataclass(frozen=True)
class FailedJob:
    """A job that failed, its log, and what its program said at the end."""

    name: str
    log: Path
    message: str


def failed(plan: Plan, results: Path) -> list[FailedJob]:
    """The jobs of `plan` whose last attempt in `results` failed, in the workflow's order."""
    found = []
    for job in jobs(plan, results):
        message = "" if job.output.exists() else told(job.log) or _untold(job, results)
        if message:
            name = f"{job.rule} ({job.of})" if job.of else job.rule
            found.append(FailedJob(name, job.log, message))
    return found


def calls(results: Path) -> int:
    """A number that every call of the workflow in `results` changes; 0 where there was none."""
    try:
        return (results.parent / CALLS).stat().st_mtime_ns
    except OSError:
        return 0


def told(log: Path) -> str:
    """The error that a log ends with, empty where it tells of none.

    Of a message for people all of it, of a traceback its last line.
    """
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").rstrip().splitlines()
    except OSError:
        return ""
    for number, line in reversed(list(enumerate(lines))):
        if line.startswith("error: "):
            return "\n".join(lines[number : number + SHOWN_LINES]).removeprefix("error: ")
        if line == TRACEBACK:
            return lines[-1]
    return ""


def _untold(job: Job, results: Path) -> str:
    """That a job was killed, where its log is empty: one that came to its end left a receipt.

    Empty too where that is not sure, as while Snakemake is at work.
    """
    try:
        began = job.log.stat()
        if began.st_size or any((results.parent / LOCKS).glob("*")):
            return ""
        ended = job.receipt.stat().st_mtime_ns if job.receipt else 0
    except FileNotFoundError:
        return KILLED if job.log.exists() else ""
    return KILLED if ended < began.st_mtime_ns else ""


def jobs(plan: Plan, results: Path) -> Iterator[Job]:
    """All jobs of `plan` but the trainings."""

    def job(rule: str, output: str, part: str = "", of: str = "", log: str = "") -> Job:
        name = f"{rule}.{of}" if of else rule
        receipt = receipts.of_part(results, part) if part else None
        return Job(rule, of, results / (log or f"logs/{name}.log"), results / output, receipt)

    dataset = datasets.describe(plan.dataset)
    data = f"data/{dataset.name}"
    first = plan.languages[0]
    yield job("fetch_data", f"{data}/checksums.sha256", log=f"{data}/fetch.log")
    if dataset.is_images:
        yield job("draw_mosaic", f"figures/mosaic.{first}.svg", "mosaic")
    for experiment in plan.experiments:
        output = f"figures/{experiment.name}.{first}.svg"
        part = f"experiment.{experiment.name}"
        yield job("draw_experiment", output, part, of=experiment.name)
    for each in plan.stepwise:
        for step in each.steps:
            of = f"{each.name}.{step.name}"
            output = str(searches.path_of(each.name, step.name))
            yield job("take_step", output, f"step.{of}", of=of)
    for search in plan.searches:
        folder = searches.FOLDER / search.name
        table = str(folder / "trials.parquet")
        yield job("list_trials", table, f"trials.{search.name}", of=search.name)
        figure = f"figures/{search.name}.{first}.svg"
        yield job("draw_search", figure, f"search.{search.name}", of=search.name)
    if plan.chooses_final:
        yield job("choose_final", choice.NAME, "choice")
    yield job("write_plan", "plan.json", "plan")
    for log in sorted((results / "logs").glob("refuse_run.*.log")):
        run = log.name.removeprefix("refuse_run.").removesuffix(".log")
        yield job("refuse_run", f"runs/{run}.writable", of=run)
    yield job("collect_metrics", "metrics.parquet", "metrics")
    yield job("summarise", "summary.parquet", "summary")
    if plan.experiments:
        yield job("draw_glance", f"figures/glance.{first}.svg", "glance")
    yield job("compare_values", "comparisons.parquet", "comparisons")
    yield job("judge_claims", "claims.parquet", "claims")
    if plan.final or plan.chooses_final:
        yield job("evaluate_final", "final.safetensors", "evaluation")
        yield job("draw_final", f"figures/final_curves.{first}.svg", "final")
        yield job("export_model", "model/README.md", "model")
    yield job("write_report", f"report.{first}.md", "report")
    for language in plan.languages:
        yield job("write_page", f"report.{language}.html", f"page.{language}", of=language)
