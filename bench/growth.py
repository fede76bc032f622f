"""How the workflow's own time and memory grow with the runs of a study, training left out."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import machine
from measure import CommandFailedError, Measured, run
from output import table, write_json

BENCH = Path(__file__).parent
ROOT = BENCH.parent
DOCS = ROOT / "docs"

RUNS = [100, 1_000, 10_000]

# A step and a number of runs, and what was measured.
Entry = dict[str, Any]

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

What the workflow itself takes for a study of many runs, by `python bench/growth.py`. The runs are
made up: their files are those that training leaves, with {epochs} epochs and {seeds} seeds each,
but of a network of two hidden units, and Snakemake has no notes on them. Measured on {date}, commit
{commit}, one step after another on {state}; dry runs in pairs with Snakemake's own, medians of
{repeat}.

## Time

Seconds, in brackets those of all cores together.

{times}

## Memory

Megabytes of the largest process.

{memory}

## Targets

{targets}

*Plan* is `make plan`, *dry run* `snakemake -n report` with nothing there. *Bare Snakemake* has as
many jobs, of one output and no input each. *Report* is `snakemake report` once all runs are
finished: collection, statistics, figures in two languages and the report; *nothing to do* is a dry
run after it. Its programs, each alone, follow; figures are those of one experiment of at most
{values} values.

## Machine

{machine}
"""


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
    data = ["--data", results / "data" / "MnistLike"]
    figures = results / "figures"
    for name, words in [
        ("write_plan.py", ["--configfile", "study.yaml", "--output", results / "plan.json"]),
        (COLLECTION, [*plan, *runs, "--output", results / "metrics.parquet"]),
        ("summarise.py", [*plan, *metrics, "--output", results / "summary.parquet"]),
        (
            "compare_values.py",
            [*plan, *metrics, *summary, "--output", results / "comparisons.parquet"],
        ),
        ("judge_claims.py", [*plan, *metrics, *summary, "--output", claims]),
        (
            "draw_experiment.py",
            [*plan, *runs, *data, "--experiments", "rates_0", "--output", figures],
        ),
        (
            "write_report.py",
            [
                *(*plan, *metrics, *summary, "--claims", claims, *runs, "--figures", figures),
                *(*data, "--output", results),
            ],
        ),
    ]:
        yield name, program(name, *words)


def steps(runs: int, folder: Path, cores: int, repeat: int) -> Iterator[tuple[str, Measured]]:
    """The steps of a study of so many runs, made in `folder`, as they are measured."""
    study, bare, log = folder / "study", folder / "bare", folder / "log"
    for made in (study, bare):
        made.mkdir()
    (bare / "Snakefile").write_text(BARE.format(runs=runs), encoding="utf-8")
    stub = [sys.executable, BENCH / "finished_study.py", "--folder", study]
    run([*stub, "--runs", runs], log)

    plan = program("show_plan.py", "--configfile", "study.yaml")
    yield PLAN, run(plan, log, study)
    for _ in range(repeat):
        yield BARE_DRY_RUN, run([sys.executable, "-m", "snakemake", "--dry-run"], log, bare)
        yield DRY_RUN, run(snakemake("report", "--dry-run"), log, study)

    run(snakemake("data", "--cores", cores), log, study)
    run([*stub, "--finish", "--processes", cores], log)
    yield PLAN_FINISHED, run(plan, log, study)
    yield "report", run(snakemake("report", "--cores", cores), log, study)
    yield "nothing to do", run(snakemake("report", "--dry-run"), log, study)
    for name, command in programs():
        yield name, run(command, log, study)


def medians(measured: list[Entry]) -> dict[str, dict[int, Measured]]:
    """Each step's median quantities, by the number of runs."""
    found: dict[str, dict[int, list[dict[str, float]]]] = {}
    for entry in measured:
        found.setdefault(entry["step"], {}).setdefault(entry["runs"], []).append(entry)
    return {
        step: {
            runs: Measured(
                *(
                    statistics.median(entry[quantity] for entry in entries)
                    for quantity in ("seconds", "core_seconds", "peak_mb", "together_mb")
                )
            )
            for runs, entries in of_step.items()
        }
        for step, of_step in found.items()
    }


def ratio(measured: list[Entry], runs: int, quantity: str = "seconds") -> float:
    """The dry run of so many runs beside bare Snakemake's: the median over the pairs."""
    ours, bare = (
        [entry[quantity] for entry in measured if (entry["runs"], entry["step"]) == (runs, step)]
        for step in (DRY_RUN, BARE_DRY_RUN)
    )
    return statistics.median(one / other for one, other in zip(ours, bare, strict=True))


def by_runs(measured: list[Entry], write: Callable[[Measured], str]) -> str:
    """A table with a row for each step and a column for each number of runs."""
    costs = medians(measured)
    sizes = list(next(iter(costs.values())))
    rows = [[step, *(write(of_step[runs]) for runs in sizes)] for step, of_step in costs.items()]
    return table(["", *(f"{runs:,} runs" for runs in sizes)], rows)


def times_table(measured: list[Entry]) -> str:
    return by_runs(measured, lambda cost: f"{cost.seconds:.1f} ({cost.core_seconds:.1f})")


def memory_table(measured: list[Entry]) -> str:
    return by_runs(measured, lambda cost: f"{cost.peak_mb:,.0f}")


def targets_table(measured: list[Entry]) -> str:
    """What was asked for, of the most runs, and what was found."""
    costs = medians(measured)
    most = max(costs[DRY_RUN])
    times = ratio(measured, most)
    plan = max(costs[step][most].seconds for step in (PLAN, PLAN_FINISHED))
    collection = costs[COLLECTION][most]
    rows = [
        ["plan", "under 3 s", f"{plan:.1f} s", plan < 3],
        ["dry run, beside bare Snakemake's", "at most 2 times", f"{times:.2f} times", times <= 2],
        ["collection", "under 20 s", f"{collection.seconds:.1f} s", collection.seconds < 20],
        [
            "memory of collection",
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
        state="an idle machine"
        if content["load"] < 1
        else f"a machine that was busy (load {content['load']:.0f})",
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
            for step, cost in steps(runs, folder, cores, options.repeat):
                print(f"{runs} runs: {step}, {cost.seconds:.1f} s", flush=True)
                content["measured"].append({"runs": runs, "step": step, **asdict(cost)})
        except CommandFailedError as error:
            sys.exit(f"error: {error}")
        finally:
            shutil.rmtree(folder)
    print(f"\n{times_table(content['measured'])}\n\n{memory_table(content['measured'])}\n")
    print(targets_table(content["measured"]))
    if options.json:
        write_json(options.json, content)


if __name__ == "__main__":
    main()
