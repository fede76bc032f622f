# The configuration, the plan that follows from it, and what all rules share.

import functools
import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "scripts"
RUN_FOLDERS = Path("results/runs")
sys.path.insert(0, str(SCRIPTS))

from study import fingerprint, jobs, manifest, standing
from study.config import load
from study.datasets import DamagedFileError, describe, verify
from study.errors import StudyError
from study.plan import resolve

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
    PLAN = resolve(CONFIG)
    DATASET = describe(PLAN.dataset)
    LEARNING = fingerprint.learning(DATASET.digest)
    if CONFIG["partial"]:
        PLAN = standing.finished_part(PLAN, RUN_FOLDERS, LEARNING)
except StudyError as error:
    raise WorkflowError(str(error))

RUNS = {run.run: run for run in PLAN.runs}
EXPERIMENTS = {experiment.name: experiment for experiment in PLAN.experiments}

DATA = f"results/data/{DATASET.name}"


wildcard_constraints:
    run="|".join(RUNS) if len(RUNS) <= 100 else r"[A-Za-z0-9._-]+",
    experiment="|".join(EXPERIMENTS),
    language="|".join(PLAN.languages),


@functools.cache
def standing_of(run):
    """How far a run has come; a job that runs on its own, as on a cluster, asks for no other."""
    return standing.standing(RUNS[run], RUN_FOLDERS, LEARNING)


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
    for name in RUNS:
        found = standing_of(name)
        for output in found.damaged:
            print(
                f"results/runs/{name}/{output}: damaged; it is made anew",
                file=sys.stderr,
            )
        if found.reasons and not CONFIG["partial"]:
            yield f"results/runs/{name}/record.parquet"


def outdated(wildcards):
    """No input file: the moment, while Snakemake builds its graph, to force what is outdated.

    Asked for by one rule in each graph is enough: all is built before any of it is judged.
    """
    if workflow.is_main_process and workflow.dag is not None:
        workflow.dag.forcefiles.update(OUTDATED)
    return []
