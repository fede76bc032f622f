# Runs share jobs of a cluster by Snakemake's groups (docs/clusters.md), of which one machine has none.
# The trials of a step of a search do so among themselves: those of the next are not known yet.

import functools

import inside_snakemake as inside
from study.operations import jobs

IS_SHARING = CONFIG["job_minutes"] > 0
IS_PACKING = IS_SHARING and inside.is_main_process(workflow)
if IS_SHARING and not IS_PACKING:
    # In such a job Snakemake is started with its runs as targets, and does not pass --resources on.
    # One more start is enough for all of them, again one after another.
    inside.limit(workflow, "runs", 1)


def shares_among(runs, name):
    """The shares of these runs in jobs of this name and a number; none of a run that shares none."""
    # Here alone, since Arrow comes with it.
    from study.operations import packing

    return packing.shares(
        runs, completeness_of, RUN_FOLDERS, CONFIG["job_minutes"], sizes(), name
    )


SHARES = shares_among(EXPERIMENT_RUNS, "runs") if IS_PACKING else {}


@functools.cache
def shares_in_step(search, step, history):
    """The same of all trials that this step of a search asks for, after this history."""
    trials = search_by(search, history).asked_by(step)
    names = dict.fromkeys(trial.run for trial in trials)
    runs = [run_of_trial(search, step, name) for name in names]
    return shares_among(runs, f"{search}-{step}-")


def share_of(wildcards):
    """The part of a shared job that a run has, or a trial in its step; None of one alone."""
    if not IS_PACKING:
        return None
    if "step" not in wildcards.keys():
        return SHARES.get(wildcards.run)
    search, step = wildcards.search, wildcards.step
    return shares_in_step(search, step, steps_in_files(search, step)).get(wildcards.run)


def group_of(wildcards):
    """The cluster's job that a run shares with others, if it does.

    Snakemake joins those jobs of a group that do not depend on each other as far as
    --group-components allows for the group's name. No profile can know these names: the allowance
    is made here, since all jobs are asked for their group before any are joined.
    """
    share = share_of(wildcards)
    if IS_PACKING and not share:
        return None
    group = share.job if share else "runs"
    inside.join_all(workflow, group)
    return group


def minutes_of(wildcards):
    """The time limit of a run's job, or what it adds to that of a job that it shares."""
    share = share_of(wildcards)
    return share.minutes if share else jobs.runtime_minutes(run_of(wildcards), sizes())
