# The configuration, the plan that follows from it, and what all rules share.

import functools
import gc
import hashlib
import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "scripts"
RUN_FOLDERS = Path("results/runs")
sys.path.insert(0, str(SCRIPTS))

from study import choice, fingerprint, jobs, manifest, provenance, standing
from study.config import load
from study.datasets import DamagedFileError, describe, verify
from study.errors import StudyError
from study.files import write_text
from study.plan import files_beside, resolve

CHOICE = Path("results") / choice.NAME

# For the first page of Snakemake's own report, which is given nothing else.
config["versions"] = provenance.versions()

# Most objects of a graph live to its end: looking for others as often as Python does by default
# takes an eighth of the time of thousands of jobs.
gc.set_threshold(50_000, 20, 20)

# The programs' folder is a variable of the shell and no parameter of the rules, so that a copy of
# the code elsewhere makes the same jobs.
shell.prefix(f"export SCRIPTS={shlex.quote(str(SCRIPTS))}; ")

# The files are read here and not by `configfile:`, which takes 1e-3 for text and the last of two
# equal keys for both, and would merge a study given by --configfile into the default one.
try:
    CONFIG = load(
        workflow.overwrite_configfiles or [Path(workflow.basedir) / "config.yaml"],
        workflow.config_settings.config,
    )
    # Where results choose the final model: as they did last, if they did.
    PLAN = resolve(CONFIG, choice.read(CHOICE))
    DATASET = describe(PLAN.dataset)
    LEARNING = fingerprint.learning(DATASET.digest, PLAN.validation)
    if CONFIG["partial"]:
        PLAN = standing.finished_part(PLAN, RUN_FOLDERS, LEARNING)
except StudyError as error:
    raise WorkflowError(str(error))

EXPERIMENT_RUNS = resolve(CONFIG).runs if PLAN.chooses_final else PLAN.runs
RUNS = {run.run: run for run in PLAN.runs}
EXPERIMENTS = {experiment.name: experiment for experiment in PLAN.experiments}

HAS_FINAL = PLAN.final is not None or (PLAN.chooses_final and not CONFIG["partial"])

DATA = f"results/data/{DATASET.name}"

STANDINGS = {}

# What the programs read that need the whole configuration: on a command line, one of thousands of
# values would be longer than systems take. Its digest is their rules' parameter.
CONFIG_FILE = Path("results/config.json")
CONFIG_JSON = json.dumps(CONFIG, ensure_ascii=False) + "\n"
CONFIG_DIGEST = hashlib.sha256(CONFIG_JSON.encode()).hexdigest()[:16]


wildcard_constraints:
    run=(
        "|".join(RUNS)
        if len(RUNS) <= 100 and not PLAN.chooses_final
        else r"[A-Za-z0-9._-]+"
    ),
    language="|".join(PLAN.languages),


def standing_of(run):
    """How far a run has come; a job that runs on its own, as on a cluster, asks for no other."""
    if run.run not in STANDINGS:
        STANDINGS[run.run] = standing.standing(run, RUN_FOLDERS, LEARNING)
    return STANDINGS[run.run]


def chosen_plan():
    """The plan with its final model; where results choose it, once the checkpoint has run."""
    if not PLAN.chooses_final or CONFIG["partial"]:
        return PLAN
    checkpoints.choose_final.get()
    return plan_by(CHOICE.read_text(encoding="utf-8"))


@functools.cache
def plan_by(chosen):
    """The plan with the final model that results/choice.json had `chosen`, a text, in it."""
    return resolve(CONFIG, choice.parse(chosen))


def run_of(wildcards):
    """The run of a training job, which may be that of a final model chosen meanwhile."""
    if wildcards.run in RUNS:
        return RUNS[wildcards.run]
    return next(run for run in chosen_plan().runs if run.run == wildcards.run)


def request_of(wildcards):
    """The words that tell a training job its settings, how much of its run is wanted, and where."""
    run = run_of(wildcards)
    return [
        "--settings",
        json.dumps(run.settings),
        *jobs.request(run, standing_of(run)),
        "--output",
        f"results/runs/{run.run}",
    ]


def every_record(wildcards):
    """The records of all runs that the study asks for.

    Whoever depends on them depends on all that these runs leave: a job makes it together, and a
    graph with more than one file of each of thousands of runs takes twice as long.
    """
    return [f"results/runs/{run.run}/record.parquet" for run in chosen_plan().runs]


def of_final_run(file):
    """An input function: this file of the final model's run."""
    return lambda wildcards: f"results/runs/{chosen_plan().final.run}/{file}"


def code_of(program, *resources):
    """A digest of a program, the library behind it and the texts that it uses."""
    root = Path(workflow.basedir)
    files = [path for pattern in resources for path in sorted(root.glob(pattern))]
    return fingerprint.program(SCRIPTS / program, *files)


MANIFEST = manifest.Manifest(Path("results/manifest.json"))


def outdated_files():
    """What Snakemake's own notes do not tell it, or could not once .snakemake/ is gone.

    Files altered since they were made; a plan of another configuration; and runs that lack
    something, were made by other code, data or torch, or are damaged.
    """
    if os.path.exists(f"{DATA}/checksums.sha256"):
        try:
            verify(DATASET, DATA)
        except DamagedFileError as error:
            print(f"{DATA}/{error.summary}; it is fetched anew", file=sys.stderr)
            yield f"{DATA}/checksums.sha256"
    for path in MANIFEST.altered(MADE):
        print(f"{path}: altered since it was made; it is made anew", file=sys.stderr)
        yield path
    plan = Path("results/plan.json")
    if plan.exists() and plan.read_text("utf-8", "replace") != PLAN.to_json():
        yield str(plan)
    for name, run in RUNS.items():
        found = standing_of(run)
        for output in found.damaged:
            print(
                f"results/runs/{name}/{output}: damaged; it is made anew",
                file=sys.stderr,
            )
        if found.reasons and not CONFIG["partial"]:
            yield f"results/runs/{name}/record.parquet"


def outdated(wildcards):
    """No input file: the moment, while Snakemake builds its graph, to force what is outdated.

    To be asked for once in each graph is enough: all is built before any of it is judged.
    """
    if workflow.is_main_process and workflow.dag is not None:
        workflow.dag.forcefiles.update(OUTDATED)
    return []
