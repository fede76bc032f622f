# What is looked at before the first job: what stands in the way, what is damaged or lacks something.

import functools
import json
import os
import sys
from pathlib import Path

import inside_snakemake as inside
from snakemake.exceptions import WorkflowError
from study.data.base import DamagedFileError
from study.runs import completeness, gpus
from study.spec import data_fit
from study.spec.plan import Run
from study.spec.settings import identity
from study.support import places, receipts
from study.support.errors import StudyError
from study.support.files import move_aside, read_bytes, read_own, write_text


def refuse_missing_gpu(wildcards):
    """No input file: the moment to stop where training here needs a GPU that is not there."""
    if PLAN.device == "cuda" and inside.makes_files_here(workflow):
        if completeness_of(run_of(wildcards)).epochs and gpus.are_absent():
            inside.end(gpus.missing("cuda"))
    return []


def expected_files():
    """All files of results/ that jobs write, as far as they are known yet."""
    tables = ["metrics", "summary", "comparisons", "claims"]
    made = [
        "results/config.json",
        "results/plan.json",
        *(f"results/{table}.parquet" for table in tables),
        f"{DATA}/checksums.sha256",
        *(f"{DATA}/{name}" for name in DATASET.file_names),
        *EVALUATION,
        *FIGURES,
        *REPORTS,
        *PAGES,
        *MODEL,
    ]
    files = (*completeness.OUTPUTS, "settings.json")
    runs = [f"results/runs/{run}/{name}" for run in RUNS for name in files]
    return [Path(placed(path)) for path in (*made, *runs)]


@functools.cache
def look_before():
    """What a call that makes files does first, asked for by the input functions of all rules.

    That is while its graph is built: `onstart` of a module is not called. A rule for config.json,
    on which data depend by `ancient`, would hide from Snakemake 9.27.1 what else has changed.
    """
    if not inside.makes_files(workflow):
        return
    if not STORAGE:
        clear_the_way()
    text = f"{json.dumps(CONFIG, ensure_ascii=False)}\n"
    if read_own(CONFIG_FILE) != text.encode():
        write_text(CONFIG_FILE, text)


def clear_the_way():
    """What a job would fail at is moved aside, or told in one line.

    Snakemake ends with all jobs where it cannot remove an output of one, and has an output that
    is older than an input made again, as after a clock is set back.
    """
    files = expected_files()
    try:
        folders = {
            RESULTS / "logs",
            *(folder for file in files for folder in file.parents),
        }
        # A run's concerns that run alone: see rule refuse_run.
        shared = {folder for folder in folders if folder.parent != RUN_FOLDERS}
        places.refuse_unwritable(sorted(shared))
        for log in (RESULTS / "logs").glob("refuse_run.*.log"):
            log.unlink()
        for path in places.in_the_way(files):
            aside = move_aside(path)
            print(f"{path}: was in the way, is now {aside}", file=sys.stderr)
    except (StudyError, OSError) as error:
        inside.end(error)
    # Snakemake 9.27.1 takes such a step anew, finds the file of the next one as it should be, and runs
    # what goes by all steps without asking for its inputs again. A step costs no training.
    for step in (RESULTS / "search").glob("*/*.json"):
        if inside.was_cut_off(str(step)):
            step.unlink(missing_ok=True)
    plans = (RESULTS / receipts.PLANS).glob("*")
    count = places.bring_back(path for path in (*files, *plans) if path.exists())
    if count:
        print(
            f"{RESULTS}: {count} files are of the future, as after a clock was set back; "
            "they are taken for made just now",
            file=sys.stderr,
        )


def tell_fit():
    """Stop where the study cannot be of the data that are there; tell what is odd."""
    try:
        for note in data_fit.check_files(PLAN, DATASET, DATA_FOLDER):
            print(f"note: {note}", file=sys.stderr)
    except StudyError as error:
        raise WorkflowError(str(error))


def outdated_files():
    """Runs and data that have to be made anew for reasons that no input of theirs shows.

    Runs that lack something, were made by other code, data or torch, or are damaged; data that was
    altered.
    """
    # No graph can be built over a link that leads nowhere, in a dry run neither.
    for path in places.in_the_way(expected_files()) if not STORAGE else ():
        if path.is_symlink():
            print(f"{path}: leads nowhere, is now {move_aside(path)}", file=sys.stderr)
    sums = DATA_FOLDER / "checksums.sha256"
    if sums.exists() and not STORAGE:
        try:
            DATASET.verify(DATA_FOLDER)
        except DamagedFileError as error:
            print(f"{DATA_FOLDER}/{error.summary}; it is fetched anew", file=sys.stderr)
            yield str(sums)
        else:
            tell_fit()
            if read_bytes(sums) != DATASET.checksums(DATA_FOLDER).encode():
                print(
                    f"{sums}: altered since it was made; it is made anew",
                    file=sys.stderr,
                )
                yield str(sums)
    for name, run in RUNS.items():
        found = completeness_of(run)
        for output in found.damaged:
            print(
                f"{RUN_FOLDERS}/{name}/{output}: damaged; it is made anew",
                file=sys.stderr,
            )
        if found.reasons and not CONFIG["partial"]:
            yield f"{RUN_FOLDERS}/{name}/record.parquet"
            yield from marks_of_lacking(name)


def marks_of_lacking(run):
    """The marks of a run's trials that say more than is there."""
    for name, step, asked in asked_trials().get(run, ()):
        if completeness_of(asked).reasons:
            yield placed(mark(name, step, run))


@functools.cache
def asked_trials():
    """Of each run that is a trial, the searches and steps that ask for it, and how far."""
    found = {}
    for search in PLAN.stepwise:
        for step in search.steps[: len(search.taken)]:
            for trial in search.asked_by(step.name):
                settings = identity({**search.settings, **trial.settings})
                asked = Run(trial.run, settings, trial.epochs, trial.seeds)
                found.setdefault(trial.run, []).append((search.name, step.name, asked))
    return found


def outdated(wildcards):
    """No input file: the moment, while Snakemake builds its graph, to force what is outdated.

    To be asked for once in each graph is enough: all is built before any of it is judged.
    """
    look_before()
    if inside.is_main_process(workflow):
        inside.force(workflow, map(in_graph, OUTDATED))
    return []
