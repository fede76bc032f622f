# Runs share jobs of a cluster by Snakemake's groups (docs/clusters.md), of which one machine has none.

import inside_snakemake as inside
from study.operations import jobs

SHARES, GROUPS = {}, {}
if CONFIG["job_minutes"] and inside.is_main_process(workflow):
    # Here alone, since Arrow comes with it.
    from study.operations import packing

    SHARES = packing.shares(
        EXPERIMENT_RUNS, completeness_of, RUN_FOLDERS, CONFIG["job_minutes"], sizes()
    )
    GROUPS = {run: share.job for run, share in SHARES.items()}
elif CONFIG["job_minutes"]:
    # In such a job Snakemake is started with its runs as targets, and does not pass --resources on.
    # One more start is enough for all of them, again one after another.
    GROUPS = dict.fromkeys(RUNS, "runs")
    inside.limit(workflow, "runs", 1)


def group_of(wildcards):
    """The cluster's job that a run shares with others, if it does.

    Snakemake joins those jobs of a group that do not depend on each other as far as
    --group-components allows for the group's name. No profile can know these names: the allowance
    is made here, since all jobs are asked for their group before any are joined.
    """
    inside.join_all(workflow, GROUPS.values(), len(GROUPS))
    return GROUPS.get(wildcards.run)


def minutes_of(wildcards):
    """The time limit of a run's job, or what it adds to that of a job that it shares."""
    share = SHARES.get(wildcards.run)
    return share.minutes if share else jobs.runtime_minutes(run_of(wildcards), sizes())
