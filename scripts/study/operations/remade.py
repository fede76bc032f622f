"""Figures, the exported model, reports and pages, made again by the programs that made them."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from study.operations.checks import WRONG, CheckedStudy, Finding, other_content
from study.operations.own_commands import failure

# Stands for the folder in which a program makes its outputs again.
HERE = "{folder}"


@dataclass(frozen=True)
class Program:
    """A command of the study and what it makes, which is `shown`; `needed` must be right before.

    It reads the files that the options `reads` name (`files_of`). Its further `words` are as in
    the rules, with HERE in them where it writes.
    """

    shown: Path
    command: str
    reads: Sequence[str]
    words: Sequence[str]
    needed: Sequence[Path]


def files_of(study: CheckedStudy) -> dict[str, Path]:
    """What the programs read, by their options."""
    return {
        "plan": study.plan_file,
        "data": study.data,
        "metrics": study.metrics,
        "summary": study.summary,
        "claims": study.claims,
        "runs": study.runs,
        "evaluation": study.evaluation,
    }


def programs(study: CheckedStudy) -> Iterator[Program]:
    """All programs that make something from the tables, a page after what is put into it."""
    evaluated = ["evaluation"] if study.plan.final else []
    files = files_of(study)
    needed = [files[name] for name in ("plan", "data", "metrics", "summary", "claims", *evaluated)]
    numbers = ["plan", "metrics", "summary", "runs", *evaluated, "data"]
    all_read = [*numbers, "claims"]
    shown = []

    def makes(path: Path, command: str, reads: Sequence[str], *words: str) -> Program:
        shown.append(path)
        return Program(path, command, reads, words, needed)

    figures, drawn = study.results / "figures", ("--output", f"{HERE}/figures")
    yield makes(figures / "*", "draw-experiment", ["plan", "runs", "data"], *drawn)
    if study.plan.final:
        yield makes(
            figures / "final_*", "draw-final", ["plan", "runs", "evaluation", "data"], *drawn
        )
        model = study.results / "model"
        yield makes(model, "export-model", numbers, "--output", f"{HERE}/{model.name}")
    if study.plan.experiments:
        read = ["plan", "metrics", "summary", "data"]
        yield makes(figures / "glance*", "draw-glance", read, *drawn)
    if study.plan.searches:
        # Their tables lie beside the others.
        words = ["--results", str(study.results), *drawn]
        yield makes(figures / "*", "draw-search", ["plan", "metrics"], *words)
    if study.dataset.shows_classes:
        yield makes(figures / "mosaic.*", "draw-mosaic", ["plan", "data"], *drawn)
    words = ["--figures", f"{HERE}/figures", "--output", HERE]
    yield makes(study.results / "report.*.md", "write-report", all_read, *words)
    for code in study.plan.languages:
        page, report = (study.results / f"report.{code}.{suffix}" for suffix in ("html", "md"))
        words = ["--figures", str(figures), "--report", str(report)]
        words += ["--language", code, "--output", f"{HERE}/{page.name}"]
        put_in = [*shown, report, *figures.glob(f"*.{code}.svg")]
        yield Program(page, "write-page", all_read, words, [*needed, *put_in])


def made_again(study: CheckedStudy, program: Program, not_right: set[Path]) -> Iterator[Finding]:
    """Every file that `program` makes against the study's, but for those that are `not_right`."""
    files = files_of(study)
    read = [word for option in program.reads for word in (f"--{option}", str(files[option]))]
    with tempfile.TemporaryDirectory() as folder:
        words = [word.replace(HERE, folder) for word in (*read, *program.words)]
        failed = failure(program.command, words)
        if failed:
            yield Finding(WRONG, f"{program.shown}: {failed}")
        problem = f"is not what study {program.command} makes of the same files"
        for again in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
            path = study.results / again.relative_to(folder)
            if path not in not_right:
                expected, read_file = again.read_bytes(), Path.read_bytes
                yield from other_content(expected, path, read_file, problem, told=study.unlike)
