"""All that this workflow uses of Snakemake beyond its documented interface.

Each was tried on Snakemake 9.27.1. A version that changes one of these breaks the workflow tests,
and this file alone is to be mended. Each function says what would replace it. The Snakefile finds
this file by `workflow.current_basedir`, which is not documented either: `workflow.source_path`
gives a copy of a single file.
"""

import os
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from snakemake.exceptions import IncompleteCheckpointException
from snakemake.io import checkpoint_target


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


def module_name(workflow: Any) -> str | None:
    """What another workflow calls this one, of which it makes a module; None on its own.

    Would be replaced by a documented way for a Snakefile to know that it is a module.
    """
    modifier = workflow.modifier
    return None if modifier.is_main_snakefile() else modifier.namespace


def with_prefix(workflow: Any, path: str) -> str:
    """A path as a rule's file would have it: with the `prefix` or `replace_prefix` of a module.

    Would be replaced by `rules.<name>.output` if that held a rule's files before it is defined, and
    where a host uses other rules alone.
    """
    return workflow.modifier.path_modifier.replace_prefix(path)


def own_shell(shell: Any) -> Any:
    """The `shell` of rules with a prefix of its own, for the namespace of this workflow alone.

    Would be replaced by `shell.prefix` if that of a module did not reach its host.
    """
    return type("shell", (shell,), {})


def makes_files(workflow: Any) -> bool:
    """Whether this call makes files: it is no dry run, touches none, and is no job of another call.

    It is known while the graph is built. Would be replaced by a handler that Snakemake calls before
    the first job, in a module too, and not where it touches files (`--touch`).
    """
    plugin = workflow.executor_plugin
    nothing = plugin is None or workflow.dryrun or workflow.touch
    return not nothing and workflow.is_main_process


def makes_files_here(workflow: Any) -> bool:
    """Whether jobs that this call makes run on this machine; as for makes_files."""
    return makes_files(workflow) and workflow.local_exec


def end(error: Exception) -> NoReturn:
    """End this call with the message of an error, from an input function.

    Any other exception there is told with a traceback. Would be replaced by WorkflowError if it
    were told as elsewhere.
    """
    raise SystemExit(f"error: {error}")


def await_again(checkpoint: Any, **wildcards: str) -> NoReturn:
    """End an input function until this checkpoint has run, whose file is there, and outdated.

    Snakemake 9.27.1 gives out the outdated file of a checkpoint that is still to run where it is at
    the end of a chain of them. Would be replaced by its `get`, if that did not.
    """
    output, _ = checkpoint.rule.expand_output(wildcards)
    raise IncompleteCheckpointException(checkpoint.rule, checkpoint_target(output[0]))


def was_cut_off(path: str) -> bool:
    """Whether the job of this file was killed before it was done, by a note in .snakemake/.

    Would be replaced by a documented way to ask for it before there is a graph.
    """
    note = urlsafe_b64encode(path.encode()).decode()
    # A longer name than a file can have is noted otherwise, and not found.
    return os.path.exists(Path(".snakemake", "incomplete", note))


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


def join_all(workflow: Any, group: str) -> None:
    """Let Snakemake join all jobs of a group that do not depend on each other.

    Would be replaced by `--group-components` taking a pattern: no profile can know the names.
    """
    settings = workflow.group_settings
    if group not in settings.group_components:
        settings.group_components = {**settings.group_components, group: sys.maxsize}


def limit(workflow: Any, resource: str, most: int) -> None:
    """Limit a resource in a job of a group, to which Snakemake does not pass `--resources` on."""
    workflow.register_resource(resource, most)
