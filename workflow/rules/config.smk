# The configuration and the plan that follows from it.

import functools
import gc
import json
import os
import shlex
from dataclasses import replace

import inside_snakemake as inside
from snakemake.exceptions import WorkflowError
from study.data.datasets import as_word, describe
from study.runs import completeness, fingerprint, provenance
from study.spec import choice, data_fit, searches
from study.spec.config import load, of_host
from study.spec.resolution import resolve
from study.support import environment
from study.support.errors import StudyError

SCRIPTS = ROOT / "scripts"
RUN_FOLDERS = RESULTS / "runs"
MODULE = inside.module_name(workflow)

if not MODULE:
    # For the first page of Snakemake's own report, which is given nothing else.
    config["versions"] = provenance.versions()
    # Most objects of a graph live to its end: looking for others as often as Python does by default
    # takes an eighth of the time of thousands of jobs.
    gc.set_threshold(50_000, 20, 20)


# Of searches, of which there are none where results lie in storage.
steps_taken = searches.history_in(RESULTS)
steps_taken_at_first = functools.cache(steps_taken)

# The files are read here and not by `configfile:`, which takes 1e-3 for text and the last of two
# equal keys for both, and would merge a study given by --configfile into the default one.
try:
    STORAGE = stored_results()
    if MODULE and config:
        CONFIG = of_host(config, MODULE)
    elif MODULE:
        CONFIG = load([ROOT / "config.yaml"])
    else:
        CONFIG = load(
            inside.config_files(workflow) or [ROOT / "config.yaml"],
            inside.config_words(workflow),
        )
    # Where results choose trials or the final model: as they did last, if they did.
    PLAN = resolve(
        CONFIG,
        choice.parse(result_text(choice.NAME) or ""),
        steps_taken_at_first,
    )
    for each in PLAN.stepwise if STORAGE else ():
        key = "search" if each in PLAN.searches else f"experiments.{each.name}.seeds"
        raise StudyError(f"{key}: is not to be had with results in storage yet")
    DATASET = describe(PLAN.dataset)
    data_fit.check_description(PLAN, DATASET)
    LEARNING = fingerprint.learning(
        DATASET.digest, PLAN.validation, DATASET.outputs, PLAN.model, DATASET.task
    )
    if CONFIG["partial"]:
        PLAN = completeness.finished_part(PLAN, RUN_FOLDERS, LEARNING)
except StudyError as error:
    raise WorkflowError(str(error))

# Those that are known beforehand: of experiments, and of a final model that the config gives.
EXPERIMENT_RUNS = (
    resolve(CONFIG).runs if PLAN.chooses_final or PLAN.stepwise else PLAN.runs
)
LISTED = {run.run: run for run in EXPERIMENT_RUNS}
RUNS = {run.run: run for run in PLAN.runs}
SEARCHES = {search.name: search for search in PLAN.searches}
# These, and experiments that add seeds.
STEPWISE = {each.name: each for each in PLAN.stepwise}
EXPERIMENTS = {experiment.name: experiment for experiment in PLAN.experiments}

# Where results are to choose it, whether there is one is known once they have: see `if_chosen`.
HAS_FINAL = PLAN.final is not None or (
    PLAN.chooses_final and not PLAN.unchosen and not CONFIG["partial"]
)

DATA = f"results/data/{DATASET.name}"
DATA_FOLDER = RESULTS / "data" / DATASET.name

# The pixels, which only jobs that share no folder have to be given; see rule fetch_data.
PIXELS = [f"{DATA}/{name}" for name in DATASET.file_names] if STORAGE else []

# For what goes on beside the jobs, such as the panel (workflow/logger).
CONFIG_FILE = RESULTS / "config.json"

# What jobs need of the machine or the place that they run on are variables of the shell and no
# parameters of the rules, so that the same jobs are made elsewhere.
ENVIRONMENT = {"SCRIPTS": str(SCRIPTS), "RESULTS": str(RESULTS)}
if "runs_per_gpu" in CONFIG:
    ENVIRONMENT["RUNS_PER_GPU"] = str(int(CONFIG["runs_per_gpu"]))
if CONFIG["arithmetic"] != "auto":
    ENVIRONMENT["ARITHMETIC"] = CONFIG["arithmetic"]
if STORAGE:
    ENVIRONMENT["STORED_RUNS"] = f"{STORAGE.address}/runs"
    if STORAGE.endpoint:
        ENVIRONMENT["AWS_ENDPOINT_URL"] = STORAGE.endpoint
shell = inside.own_shell(shell)
shell.prefix(
    f"unset {' '.join(environment.UNSET)}; "
    + "".join(
        f"export {name}={shlex.quote(value)}; " for name, value in ENVIRONMENT.items()
    )
)

if "container" in CONFIG:

    container: CONFIG["container"]


wildcard_constraints:
    run=(
        "|".join(RUNS)
        if len(RUNS) <= 100 and not PLAN.chooses_final and not PLAN.stepwise
        else r"[A-Za-z0-9._-]+"
    ),
    language="|".join(PLAN.languages),


def planned():
    """The plan as far as it is known before results choose a final model."""
    return PLAN


def chosen_plan():
    """The plan with its trials and final model, once the checkpoints that choose them have run."""
    if CONFIG["partial"]:
        return PLAN
    history = whole_history()
    chosen = ""
    if PLAN.chooses_final:
        # Its own `open` fetches the file where it lies in storage alone.
        with checkpoints.choose_final.get().output[0].open(encoding="utf-8") as file:
            chosen = file.read()
    return plan_by(chosen, history) if chosen or history else PLAN


def searched_plan():
    """The plan with all that is asked for step by step, and no final model that is chosen yet."""
    if CONFIG["partial"]:
        return PLAN
    return plan_by("", whole_history())


def whole_history():
    """That of all that goes step by step, to its end."""
    return tuple(
        step
        for search in PLAN.stepwise
        for step in history_of(search, search.steps[-1].name)
    )


@functools.cache
def plan_by(chosen, history):
    """The plan with the final model of this choice.json, and these steps of its searches."""
    return resolve(CONFIG, choice.parse(chosen), asked_in(history))


def history_of(search, step):
    """The names of a search and its steps up to this one, and their files' texts.

    They are there once the checkpoint of the last one has run.
    """
    checkpoints.take_step.get(search=search.name, step=step)
    history = steps_in_files(search.name, step)
    if len(search_by(search.name, history).taken) < len(history):
        inside.await_again(checkpoints.take_step, search=search.name, step=step)
    return history


def steps_in_files(name, step):
    """The same, whether or not the checkpoint has run."""
    return tuple(
        (name, each.name, steps_taken(name, each.name))
        for each in STEPWISE[name].until(step).steps
    )


def search_after(name, step):
    """The search of this name, this step taken."""
    return search_by(name, history_of(STEPWISE[name], step))


@functools.cache
def search_by(name, history):
    """The search of this name with these steps taken, or the experiment that adds seeds."""
    known = STEPWISE[name]
    taken = known.taken[: len(history)]
    # The plan is not made anew for each of hundreds of steps that were there when it was made.
    if len(taken) == len(history) and all(
        text == steps_taken_at_first(search, step) for search, step, text in history
    ):
        return replace(known, taken=taken)
    plan = resolve(CONFIG, None, asked_in(history))
    [search] = [each for each in plan.stepwise if each.name == name]
    return search


def asked_in(history):
    """These steps, as a plan asks for them."""
    texts = {(search, step): text for search, step, text in history}
    return lambda search, step: texts.get((search, step))
