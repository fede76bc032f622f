"""How the workflow's own time and memory grow with the runs of a study, training left out."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
from output import table, write_json

BENCH = Path(__file__).parent
ROOT = BENCH.parent
DOCS = ROOT / "docs"

RUNS = [100, 1_000, 10_000]

# The values of the experiment whose figure is drawn; finished_study.MOST_VALUES at most.
EXPERIMENT = "rates_0"

# What Snakemake alone takes for as many jobs, none of which has anything to tell.
BARE = """\
rule all:
    input:
        expand("made/{{number}}", number=range({runs})),


rule make:
    output:
        "made/{{number}}",
    shell:
        "touch {{output}}"
"""

BARE_DRY_RUN, DRY_RUN = "bare Snakemake, dry run", "dry run"
PLAN, PLAN_FINISHED = "plan", "plan, all runs finished"
COLLECTION = "collect_metrics.py"

PAGE = """\
# Growth

What the workflow itself takes for a study of many runs. The runs are made up (`bench/growth.py`): \
their files are those that training leaves, of {epochs} epochs and {seeds} seeds each, but of a \
network of two hidden units. Measured {date}, commit {commit}, on an otherwise \
{state} machine; dry runs in pairs with Snakemake's own, medians of {repeat}.

## Time

Seconds, in brackets those of all cores together.

{times}

## Memory

Megabytes of the largest process.

{memory}

## Targets

{targets}

*Plan* is `make plan`, *dry run* `snakemake -n report` with nothing there. *Bare Snakemake* has as
many jobs of one output and no input. *Report* is `snakemake report` once all runs are finished: \
collection, statistics, figures in two languages and the report; *nothing to do* is a dry run \
after it. Below are its programs, each alone; the figure is that of one experiment, of at most \
{values} values.

## Machine

{machine}
"""


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds of a command, seconds of all cores, and MB of its largest process."""

    seconds: float
    core_seconds: float
    peak_mb: float


def run(command: list[Any], folder: Path) -> Cost:
    """Run a command in `folder` to its end; end the benchmark where it fails."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        # Not `process.wait()`: only wait4 tells what this command and its children used.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            last_lines = log.read().splitlines()[-10:]
            sys.exit("\n".join([f"error: this failed: {' '.join(map(str, command))}", *last_lines]))
    peak = usage.ru_maxrss * machine.MAXRSS_BYTES / 1e6
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak)


def program(name: str, *words: Any) -> list[Any]:
    """The command of one of the workflow's programs."""
    return [sys.executable, ROOT / "scripts" / name, *words]


def snakemake(*words: Any) -> list[Any]:
    """The command of Snakemake on the study."""
    study = ["--snakefile", ROOT / "Snakefile", "--configfile", "study.yaml"]
    return [sys.executable, "-m", "snakemake", *words, *study]


def programs() -> Iterator[tuple[str, list[Any]]]:
    """The programs between the finished runs and the report, in their order."""
    results = Path("results")
    plan = ["--plan", results / "plan.json"]
    metrics = ["--metrics", results / "metrics.parquet"]
    summary = ["--summary", results / "summary.parquet"]
    claims, runs = results / "claims.parquet", ["--runs", results / "runs"]
    figures = results / "figures"
    for name, words in [
        ("write_plan.py", ["--configfile", "study.yaml", "--output", results / "plan.json"]),
        (COLLECTION, [*plan, *runs, "--output", results / "metrics.parquet"]),
        ("summarise.py", [*plan, *metrics, "--output", results / "summary.parquet"]),
        ("compare_values.py", [*plan, *summary, "--output", results / "comparisons.parquet"]),
        ("judge_claims.py", [*plan, *metrics, *summary, "--output", claims]),
        (
            "draw_experiment.py",
            [*plan, *metrics, *summary, "--experiment", EXPERIMENT, "--output", figures],
        ),
        (
            "write_report.py",
            [
                *(*plan, *metrics, *summary, "--claims", claims, *runs, "--figures", figures),
                *("--data", results / "data" / "MnistLike", "--output", results),
            ],
        ),
    ]:
        yield name, program(name, *words)


def measure(runs: int, folder: Path, cores: int, repeat: int) -> Iterator[tuple[str, Cost]]:
    """The steps of a study of so many runs, made in `folder`."""
    study, bare = folder / "study", folder / "bare"
    for made in (study, bare):
        made.mkdir()
    (bare / "Snakefile").write_text(BARE.format(runs=runs), encoding="utf-8")
    stub = [sys.executable, BENCH / "finished_study.py", "--folder", study]
    run([*stub, "--runs", runs], folder)

    plan = program("show_plan.py", "--configfile", "study.yaml")
    yield PLAN, run(plan, study)
    for _ in range(repeat):
        yield BARE_DRY_RUN, run([sys.executable, "-m", "snakemake", "--dry-run"], bare)
        yield DRY_RUN, run(snakemake("report", "--dry-run"), study)

    run(snakemake("data", "--cores", cores), study)
    run([*stub, "--finish", "--processes", cores], folder)
    yield PLAN_FINISHED, run(plan, study)
    yield "report", run(snakemake("report", "--cores", cores), study)
    yield "nothing to do", run(snakemake("report", "--dry-run"), study)
    for name, command in programs():
        yield name, run(command, study)


def medians(measured: list[dict[str, Any]]) -> dict[str, dict[int, Cost]]:
    """Each step's median cost, by the number of runs."""
    found: dict[str, dict[int, list[Cost]]] = {}
    for entry in measured:
        cost = Cost(**entry["cost"])
        found.setdefault(entry["step"], {}).setdefault(entry["runs"], []).append(cost)
    return {
        step: {
            runs: Cost(
                *(
                    statistics.median(getattr(cost, quantity) for cost in costs)
                    for quantity in ("seconds", "core_seconds", "peak_mb")
                )
            )
            for runs, costs in by_runs.items()
        }
        for step, by_runs in found.items()
    }


def ratios(measured: list[dict[str, Any]], quantity: str = "seconds") -> dict[int, float]:
    """The dry run beside bare Snakemake's, medians over the pairs, by the number of runs."""
    paired: dict[int, dict[str, list[float]]] = {}
    for entry in measured:
        paired.setdefault(entry["runs"], {}).setdefault(entry["step"], []).append(
            entry["cost"][quantity]
        )
    return {
        runs: statistics.median(
            ours / bare for ours, bare in zip(steps[DRY_RUN], steps[BARE_DRY_RUN], strict=True)
        )
        for runs, steps in paired.items()
    }


def by_runs(costs: dict[str, dict[int, Cost]], write: Any) -> str:
    """A table with a row for each step and a column for each number of runs."""
    sizes = list(next(iter(costs.values())))
    rows = [[step, *(write(of_step[runs]) for runs in sizes)] for step, of_step in costs.items()]
    return table(["", *(f"{runs:,} runs" for runs in sizes)], rows)


def times_table(measured: list[dict[str, Any]]) -> str:
    return by_runs(medians(measured), lambda cost: f"{cost.seconds:.1f} ({cost.core_seconds:.1f})")


def memory_table(measured: list[dict[str, Any]]) -> str:
    return by_runs(medians(measured), lambda cost: f"{cost.peak_mb:,.0f}")


def targets_table(measured: list[dict[str, Any]]) -> str:
    """What was asked for, of the most runs, and what was found."""
    costs = medians(measured)
    most = max(costs[DRY_RUN])
    ratio = ratios(measured)[most]
    of_cores = ratios(measured, "core_seconds")[most]
    plan = max(costs[step][most].seconds for step in (PLAN, PLAN_FINISHED))
    collection = costs[COLLECTION][most]
    rows = [
        ["plan", "under 3 s", f"{plan:.1f} s", plan < 3],
        [
            "dry run beside bare Snakemake's",
            "within 2 times",
            f"{ratio:.2f} times (of cores' seconds {of_cores:.2f})",
            ratio <= 2,
        ],
        ["collection", "under 20 s", f"{collection.seconds:.1f} s", collection.seconds < 20],
        [
            "its memory",
            "under 1,500 MB",
            f"{collection.peak_mb:,.0f} MB",
            collection.peak_mb < 1500,
        ],
    ]
    header = [f"of {most:,} runs", "target", "found", "reached"]
    return table(header, [[*words, "yes" if is_so else "no"] for *words, is_so in rows])


def page(content: dict[str, Any]) -> str:
    """docs/growth.md, in Markdown."""
    measured = content["measured"]
    return PAGE.format(
        epochs=content["epochs"],
        seeds=content["seeds"],
        values=f"{content['values']:,}",
        date=content["date"],
        commit=content["commit"],
        state="idle" if content["load"] < 1 else f"busy (load {content['load']:.0f})",
        repeat=content["repeat"],
        times=times_table(measured),
        memory=memory_table(measured),
        targets=targets_table(measured),
        machine="\n".join(f"- {name}: {words}" for name, words in content["machine"].items()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=RUNS, help="sizes of studies")
    parser.add_argument("--repeat", type=int, default=3, help="pairs of dry runs")
    parser.add_argument("--json", type=Path, help="where to write all that was measured")
    parser.add_argument("--page", type=Path, metavar="JSON", help="write docs/growth.md from it")
    options = parser.parse_args()
    if options.page:
        content = json.loads(options.page.read_text(encoding="utf-8"))
        (DOCS / "growth.md").write_text(page(content), encoding="utf-8")
        return

    cores = len(machine.available_cores())
    described = machine.describe(cores)
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True
    ).stdout.strip()
    content: dict[str, Any] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "commit": commit,
        "machine": described,
        "load": os.getloadavg()[0],
        **{"epochs": 30, "seeds": 5, "values": 1000},
        "repeat": options.repeat,
        "measured": [],
    }
    for runs in options.runs:
        folder = Path(tempfile.mkdtemp(prefix="growth-"))
        try:
            for step, cost in measure(runs, folder, cores, options.repeat):
                print(
                    f"{runs} runs: {step} {cost.seconds:.1f} s, {cost.peak_mb:.0f} MB", flush=True
                )
                content["measured"].append({"runs": runs, "step": step, "cost": asdict(cost)})
        finally:
            shutil.rmtree(folder)
    print(f"\n{times_table(content['measured'])}\n\n{memory_table(content['measured'])}\n")
    print(targets_table(content["measured"]))
    if options.json:
        write_json(options.json, content)


if __name__ == "__main__":
    main()
