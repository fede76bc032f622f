"""All that this workflow uses of Snakemake beyond its documented interface.

Tried on Snakemake 9.27.1. A version that changes one of these breaks the workflow tests, and this
file alone is to be mended. Each function says what would replace it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any


def is_main_process(workflow: Any) -> bool:
    """Whether this Snakemake was called by a person, and not by another for one job.

    Would be replaced by a documented way for a Snakefile to know which jobs it is parsed for.
    """
    return workflow.is_main_process


def config_files(workflow: Any) -> list[Path]:
    """The files that `--configfile` names, none without it.

    Would be replaced by `configfile:` if it kept numbers such as 1e-3 and refused a key that stands
    twice.
    """
    return [Path(path) for path in workflow.overwrite_configfiles]


def config_words(workflow: Any) -> dict[str, Any]:
    """The entries that `--config` gives; as for config_files."""
    return workflow.config_settings.config


def default_storage(workflow: Any) -> tuple[Any, str]:
    """The provider of `--default-storage-provider`, None without one, and the prefix of its paths.

    Would be replaced by a documented way to ask for a file's place in storage.
    """
    provider = workflow.storage_registry.default_storage_provider
    return provider, workflow.storage_settings.default_storage_prefix or ""


def only_touches(workflow: Any) -> bool:
    """Whether this call gives files a new time and makes none (`--touch`).

    Would be replaced by a handler like onstart that such a call does not run.
    """
    return workflow.touch


def trains_here(workflow: Any) -> bool:
    """Whether jobs run on this machine; as for only_touches, or by the executor's name."""
    return workflow.local_exec and not workflow.touch


def jobs_to_run(workflow: Any, rule: str) -> list[Any]:
    """The jobs of a rule that will run, once the graph is there.

    Would be replaced by a handler that Snakemake calls before the first job with the jobs to run.
    """
    return [job for job in workflow.dag.needrun_jobs() if job.rule.name == rule]


def outputs(workflow: Any) -> set[str]:
    """All files that the jobs of this call make, or have made before.

    Would be replaced by a handler that is told the targets.
    """
    return {str(path) for job in workflow.dag.jobs for path in job.output}


def force(workflow: Any, files: Iterable[str]) -> None:
    """Have the jobs of these files run, as `--forcerun` does for all of a rule.

    Asked for by an input function, while the graph is built: all is built before any of it is
    judged. Would be replaced by an input that says that it has changed.
    """
    if workflow.dag is not None:
        workflow.dag.forcefiles.update(files)


def join_all(workflow: Any, groups: Iterable[str], most: int) -> None:
    """Let Snakemake join up to `most` jobs that do not depend on each other in each of `groups`.

    Would be replaced by `--group-components` taking a pattern: no profile can know the names.
    """
    workflow.group_settings.group_components = dict.fromkeys(groups, most)


def limit(workflow: Any, resource: str, most: int) -> None:
    """Limit a resource in a job of a group, to which Snakemake does not pass `--resources` on."""
    workflow.register_resource(resource, most)
