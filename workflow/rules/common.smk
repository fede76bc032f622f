# The configuration, the plan that follows from it, and what all rules share.

import functools
import gc
import json
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "scripts"
RESULTS = Path("results")
RUN_FOLDERS = RESULTS / "runs"
sys.path.insert(0, str(SCRIPTS))

from study.data.datasets import DamagedFileError, describe, verify
from study.operations import jobs
from study.runs import completeness, failures, fingerprint, gpus, provenance
from study.spec import choice, data_fit, shares
from study.spec.beside import files_beside
from study.spec.config import load
from study.spec.plan import resolve
from study.support import environment, places, receipts
from study.support.errors import StudyError
from study.support.files import link, move_aside, write_text
from study.support.object_store import Folder

# For the first page of Snakemake's own report, which is given nothing else.
config["versions"] = provenance.versions()

# Most objects of a graph live to its end: looking for others as often as Python does by default
# takes an eighth of the time of thousands of jobs.
gc.set_threshold(50_000, 20, 20)


def stored_results():
    """The place of results/ in Snakemake's default storage (docs/storage.md), if it has one.

    results/ is then a link to the local copies that Snakemake keeps of what lies there, so that
    the programs find their files and leave others beside them as ever.
    """
    provider = workflow.storage_registry.default_storage_provider
    if provider is None:
        return None
    prefix = workflow.storage_settings.default_storage_prefix or ""
    if not prefix.startswith("s3://"):
        raise StudyError(f"default-storage-prefix: must be s3://…, is {prefix!r}")
    address = f"{prefix.rstrip('/')}/results"
    link(Path("results"), provider.object(address).local_path())
    return Folder(address, provider.settings.endpoint_url)


def result_text(name):
    """The text of a small file of results, wherever they lie; None where it is not there."""
    if STORAGE:
        content = STORAGE.read(name)
    else:
        path = Path("results") / name
        content = path.read_bytes() if path.is_file() else None
    return None if content is None else content.decode("utf-8", "replace")


# The files are read here and not by `configfile:`, which takes 1e-3 for text and the last of two
# equal keys for both, and would merge a study given by --configfile into the default one.
try:
    STORAGE = stored_results()
    CONFIG = load(
        workflow.overwrite_configfiles or [Path(workflow.basedir) / "config.yaml"],
        workflow.config_settings.config,
    )
    # Where results choose the final model: as they did last, if they did.
    PLAN = resolve(CONFIG, choice.parse(result_text(choice.NAME) or ""))
    DATASET = describe(PLAN.dataset)
    data_fit.check_description(PLAN, DATASET)
    LEARNING = fingerprint.learning(DATASET.digest, PLAN.validation)
    if CONFIG["partial"]:
        PLAN = completeness.finished_part(PLAN, RUN_FOLDERS, LEARNING)
except StudyError as error:
    raise WorkflowError(str(error))

EXPERIMENT_RUNS = resolve(CONFIG).runs if PLAN.chooses_final else PLAN.runs
RUNS = {run.run: run for run in PLAN.runs}
EXPERIMENTS = {experiment.name: experiment for experiment in PLAN.experiments}

# Where results are to choose it, whether there is one is known once they have: see `if_chosen`.
HAS_FINAL = PLAN.final is not None or (
    PLAN.chooses_final and not PLAN.unchosen and not CONFIG["partial"]
)

DATA = f"results/data/{DATASET.name}"

# What jobs need of the machine or the place that they run on are variables of the shell and no
# parameters of the rules, so that the same jobs are made elsewhere.
ENVIRONMENT = {"SCRIPTS": str(SCRIPTS)}
if "runs_per_gpu" in CONFIG:
    ENVIRONMENT["RUNS_PER_GPU"] = str(int(CONFIG["runs_per_gpu"]))
if STORAGE:
    ENVIRONMENT["STORED_RUNS"] = f"{STORAGE.address}/runs"
    if STORAGE.endpoint:
        ENVIRONMENT["AWS_ENDPOINT_URL"] = STORAGE.endpoint
shell.prefix(
    f"unset {' '.join(environment.UNSET)}; "
    + "".join(
        f"export {name}={shlex.quote(value)}; " for name, value in ENVIRONMENT.items()
    )
)

if "container" in CONFIG:

    container: CONFIG["container"]


# The pixels, which only jobs that share no folder have to be given; see rule fetch_data.
PIXELS = [f"{DATA}/{file.name}" for file in DATASET.files.values()] if STORAGE else []

STANDINGS = {}

# What the panel shows the progress of (workflow/logger).
CONFIG_FILE = Path("results/config.json")


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
        STANDINGS[run.run] = (
            completeness.by_description(
                run, result_text(f"runs/{run.run}/settings.json"), LEARNING
            )
            if STORAGE
            else completeness.standing(run, RUN_FOLDERS, LEARNING)
        )
    return STANDINGS[run.run]


# Runs share jobs of a cluster by Snakemake's groups, of which one machine has none.
SHARES, GROUPS = {}, {}
if CONFIG["job_minutes"] and workflow.is_main_process:
    # Here alone, since Arrow comes with it.
    from study.operations import packing

    SHARES = packing.shares(
        EXPERIMENT_RUNS, standing_of, RUN_FOLDERS, CONFIG["job_minutes"]
    )
    GROUPS = {run: share.job for run, share in SHARES.items()}
elif CONFIG["job_minutes"]:
    # In such a job Snakemake is started with its runs as targets, and does not pass --resources on.
    # One more start is enough for all of them, again one after another.
    GROUPS = dict.fromkeys(RUNS, "runs")
    workflow.register_resource("runs", 1)


def group_of(wildcards):
    """The cluster's job that a run shares with others, if it does.

    Snakemake joins those jobs of a group that do not depend on each other as far as
    --group-components allows for the group's name. No profile can know these names: the allowance
    is made here, since all jobs are asked for their group before any are joined.
    """
    workflow.group_settings.group_components = dict.fromkeys(
        GROUPS.values(), len(GROUPS)
    )
    return GROUPS.get(wildcards.run)


def minutes_of(wildcards):
    """The time limit of a run's job, or what it adds to that of a job that it shares."""
    share = SHARES.get(wildcards.run)
    return share.minutes if share else jobs.runtime_minutes(run_of(wildcards))


def priority_of(wildcards):
    """The longest runs first, and last what has failed, which others of its job need not await."""
    run = run_of(wildcards)
    failed = failures.kind_left(RUN_FOLDERS / run.run) not in (None, failures.STOPPED)
    return 0 if failed else jobs.seconds(run)


def chosen_plan():
    """The plan with its final model; where results choose it, once the checkpoint has run."""
    if not PLAN.chooses_final or CONFIG["partial"]:
        return PLAN
    # Its own `open` fetches the file where it lies in storage alone.
    with checkpoints.choose_final.get().output[0].open(encoding="utf-8") as file:
        return plan_by(file.read())


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


def records_of_experiment(wildcards):
    """The records of an experiment's runs; of many, the metrics, which come with all records.

    So many edges of the graph would take as long as all others.
    """
    runs = {value.run for value in EXPERIMENTS[wildcards.experiment].values}
    if len(runs) > 100:
        return "results/metrics.parquet"
    return [f"results/runs/{run}/record.parquet" for run in runs]


def every_description(wildcards):
    """What made each run. A job that shares the folder finds it beside the records."""
    runs = chosen_plan().runs if STORAGE else []
    return [f"results/runs/{run.run}/settings.json" for run in runs]


def if_chosen(files):
    """An input function: these files of the final model; none where results chose none."""
    return lambda wildcards: files if files and chosen_plan().final else []


def of_final_run(file):
    """An input function: this file of the final model's run."""
    return lambda wildcards: f"results/runs/{chosen_plan().final.run}/{file}"


def refuse_missing_gpu():
    """Stop before the first job where training here needs a GPU and this machine has none."""
    if PLAN.device != "cuda" or not workflow.local_exec or workflow.touch:
        return
    trains = any(
        job.rule.name == "train" and standing_of(run_of(job.wildcards)).epochs
        for job in workflow.dag.needrun_jobs()
    )
    if trains and gpus.are_absent():
        raise WorkflowError(str(gpus.missing("cuda")))


def code_of(program, *resources):
    """A digest of a program, the library behind it and the texts that it uses."""
    root = Path(workflow.basedir)
    files = [path for pattern in resources for path in sorted(root.glob(pattern))]
    return fingerprint.program(SCRIPTS / program, *files)


def planned():
    """The plan as far as it is known before results choose a final model."""
    return PLAN


def plan_of(part, program, *resources, plan=chosen_plan):
    """An input function: the file with what a part of the results is made from.

    That is its share of the plan and the digest of its `program`, as code_of has it. The file is
    a new one unless the part's receipt says that the part was made from it and is as it was made:
    so Snakemake sees by its own means what has to be made anew.
    """
    code = code_of(program, *resources)

    def file(wildcards):
        name = part.format_map(dict(wildcards.items()))
        found = plan_file(name, shares.as_text(plan(), name, code, DATASET.description))
        return local(found) if STORAGE else found

    return file


@functools.cache
def plan_file(part, content):
    """The path of a file with this content; what was altered by hand is told."""
    file = str(receipts.plan_file(RESULTS, part, content))
    made = receipts.read(receipts.of_part(RESULTS, part))
    for path in made.altered() if made and made.plan != file else ():
        print(f"{path}: altered since it was made; it is made anew", file=sys.stderr)
    return file


def expected_files():
    """All files of results/ that jobs write, as far as they are known yet."""
    tables = ["metrics", "summary", "comparisons", "claims"]
    made = [
        "results/plan.json",
        *(f"results/{table}.parquet" for table in tables),
        f"{DATA}/checksums.sha256",
        *(f"{DATA}/{file.name}" for file in DATASET.files.values()),
        *EVALUATION,
        *FIGURES,
        *REPORTS,
        *PAGES,
        *MODEL,
    ]
    files = (*completeness.OUTPUTS, "settings.json")
    runs = [f"results/runs/{run}/{name}" for run in RUNS for name in files]
    return list(map(Path, (*made, *runs)))


def clear_the_way():
    """Before the first job: what it would fail at is moved aside, or told in one line.

    Snakemake ends with all jobs where it cannot remove an output of one, and has an output that
    is older than an input made again, as after a clock is set back.
    """
    if STORAGE or workflow.touch:
        return
    files = expected_files()
    try:
        folders = {folder for file in files for folder in file.parents}
        places.refuse_unwritable(sorted({*folders, Path("results/logs")}))
        for path in places.in_the_way(files):
            aside = move_aside(path)
            print(f"{path}: was in the way, is now {aside}", file=sys.stderr)
    except (StudyError, OSError) as error:
        raise WorkflowError(str(error))
    plans = (Path("results") / receipts.PLANS).glob("*")
    count = places.bring_back(path for path in (*files, *plans) if path.exists())
    if count:
        print(
            f"results: {count} files are of the future, as after a clock was set back; "
            "they are taken for made just now",
            file=sys.stderr,
        )


def tell_fit():
    """Stop where the study cannot be of the data that are there; tell what is odd."""
    try:
        for note in data_fit.check_files(PLAN, DATASET, Path(DATA)):
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
    if os.path.exists(f"{DATA}/checksums.sha256") and not STORAGE:
        try:
            verify(DATASET, DATA)
        except DamagedFileError as error:
            print(f"{DATA}/{error.summary}; it is fetched anew", file=sys.stderr)
            yield f"{DATA}/checksums.sha256"
        else:
            tell_fit()
    for name, run in RUNS.items():
        found = standing_of(run)
        for output in found.damaged:
            print(
                f"results/runs/{name}/{output}: damaged; it is made anew",
                file=sys.stderr,
            )
        if found.reasons and not CONFIG["partial"]:
            yield f"results/runs/{name}/record.parquet"


def in_graph(path):
    """A file of results/ as Snakemake's graph has it: where it lies in storage, the copy of it."""
    if not STORAGE:
        return path
    provider = workflow.storage_registry.default_storage_provider
    place = STORAGE.address.removesuffix("results") + path
    return str(provider.object(place).local_path())


def outdated(wildcards):
    """No input file: the moment, while Snakemake builds its graph, to force what is outdated.

    To be asked for once in each graph is enough: all is built before any of it is judged.
    """
    if workflow.is_main_process and workflow.dag is not None:
        workflow.dag.forcefiles.update(map(in_graph, OUTDATED))
    return []
