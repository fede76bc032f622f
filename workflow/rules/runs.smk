# What the rules ask of runs: how far each has come, what its job is to train, which files it leaves.

import functools
import json

from study.operations import jobs
from study.runs import completeness, failures
from study.support import places

COMPLETENESS = {}


def completeness_of(run):
    """How far a run has come; a job that runs on its own, as on a cluster, asks for no other."""
    wanted = run.run, run.epochs, tuple(run.seeds)
    if wanted not in COMPLETENESS:
        COMPLETENESS[wanted] = (
            completeness.by_description(
                run, result_text(f"runs/{run.run}/settings.json"), LEARNING
            )
            if STORAGE
            else completeness.completeness_of(run, RUN_FOLDERS, LEARNING)
        )
    return COMPLETENESS[wanted]


def sizes():
    """The sizes of the data, by which jobs get their time, memory and order."""
    return sizes_of_data((DATA_FOLDER / "checksums.sha256").exists())


@functools.cache
def sizes_of_data(fetched):
    return jobs.sizes(DATASET, DATA_FOLDER) if fetched else jobs.ASSUMED


def run_of(wildcards):
    """The run of a training job, which may be that of a final model chosen meanwhile.

    That of a trial is as far as its step asks for.
    """
    if "step" in wildcards.keys():
        return run_of_trial(wildcards.search, wildcards.step, wildcards.run)
    if wildcards.run in RUNS:
        return RUNS[wildcards.run]
    return next(run for run in chosen_plan().runs if run.run == wildcards.run)


def request_of(wildcards):
    """The words that tell a training job its settings, how much of its run is wanted, and where."""
    run = run_of(wildcards)
    # The words of a trial stay what they were when it has gone on since.
    is_trial = "step" in wildcards.keys()
    return [
        "--settings",
        json.dumps(run.settings),
        *(jobs.words(run) if is_trial else jobs.request(run, completeness_of(run))),
        # What the run's own job was asked for is compared with what it is asked for next.
        *(["--keep-request"] if is_trial and run.run in LISTED else ()),
        "--output",
        f"{RUN_FOLDERS}/{run.run}",
    ]


def priority_of(wildcards):
    """The longest runs first, and last what has failed, which others of its job need not await."""
    run = run_of(wildcards)
    failed = failures.kind_left(RUN_FOLDERS / run.run) not in (None, failures.STOPPED)
    return 0 if failed else jobs.seconds(run, sizes())


def file_of(run, file="record.parquet"):
    """A run's file; of a run that cannot be written, one that is never made: see rule refuse_run."""
    is_closed = not STORAGE and not places.is_writable(RUN_FOLDERS / run.run)
    if is_closed and completeness_of(run).reasons:
        return f"results/runs/{run.run}.writable"
    return f"results/runs/{run.run}/{file}"


def every_record(wildcards):
    """The records of all runs that the study asks for; of trials alone, that they are trained.

    Whoever depends on them depends on all that these runs leave: a job makes it together, and a
    graph with more than one file of each of thousands of runs takes twice as long.
    """
    plan = chosen_plan()
    trials = only_trials(plan)
    return [
        *(file_of(run) for run in plan.runs if run.run not in trials),
        *every_trial(plan),
    ]


def listed_records(wildcards):
    """Those of them that are known before any step is taken.

    Steps depend on them by `ancient` alone. Snakemake 9.27.1 looks at nothing that comes after a job
    that must run, as where a record is damaged, and then does not follow `ancient`: without another
    way from these jobs to the metrics it would end after them, as if there were no more to do.
    """
    is_stepwise = PLAN.stepwise and not CONFIG["partial"]
    return [file_of(run) for run in LISTED.values()] if is_stepwise else []


def every_description(wildcards):
    """What made each run. A job that shares the folder finds it beside the records."""
    runs = chosen_plan().runs if STORAGE else []
    return [f"results/runs/{run.run}/settings.json" for run in runs]


def records_of_experiment(wildcards):
    """The records of an experiment's runs, or the metrics, which come with all records.

    So many edges of the graph would take as long as all others; and a search may go on with the
    experiment's runs, which changes their records, until all are there; seeds are added likewise.
    """
    runs = {value.run for value in EXPERIMENTS[wildcards.experiment].values}
    if len(runs) > 100 or PLAN.stepwise:
        return "results/metrics.parquet"
    return [file_of(RUNS[run]) for run in runs]


def of_final_run(file):
    """An input function: this file of the final model's run."""
    return lambda wildcards: file_of(chosen_plan().final, file)


def further_of_final_run(wildcards):
    """The marks of trials that go on with the final model's run, which changes its files."""
    plan = chosen_plan()
    return [path for path in every_trial(plan) if run_of_mark(path) == plan.final.run]


def if_chosen(files):
    """An input function: these files of the final model; none where results chose none."""
    return lambda wildcards: files if files and chosen_plan().final else []
