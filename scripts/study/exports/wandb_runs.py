"""All runs as the offline runs of Weights & Biases, in a folder that `wandb sync` can upload."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from study.exports import reading
from study.spec.settings import text
from study.spec.tasks import task_of
from study.support.errors import StudyError

PACKAGE = "wandb==0.31.0"

# What its client would add of its own: what it finds of this machine, and errors that it reports.
SILENT = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
UNKNOWN = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "host": "",
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


def export(results: Path, output: Path) -> str:
    """Write the study's replicates, in place of the last export; gives what to tell who asked.

    A replicate is a run there, in the group of its run: its config has the settings and the seed,
    and for which experiments and searches it is; its history has the measures by epoch. One that
    diverged has failed. The client is not asked to send anything.
    """
    path = results / "metrics.parquet"
    measures = task_of(reading.names(path)).columns
    metrics = reading.frame(path, ["run", "seed", "epoch", "status", *measures])
    settings = reading.settings_of_runs(path)
    asked = reading.asked_by(reading.plan(results))
    wandb = _client()
    project = results.resolve().parent.name or "study"
    output.parent.mkdir(parents=True, exist_ok=True)
    replicates = metrics.sort_values("epoch").groupby(["run", "seed"], sort=False)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".wandb-") as temporary:
        for (run, seed), rows in replicates:
            config = {key: _written(value) for key, value in settings[run].items()}
            made = wandb.init(
                mode="offline",
                reinit="create_new",
                dir=temporary,
                project=project,
                id=reading.replicate_id(run, seed),
                name=reading.replicate_name(run, seed),
                group=run,
                config={**config, "seed": seed, "run": run, **asked.get(run, {})},
                settings=wandb.Settings(**UNKNOWN),
            )
            for epoch, *measured in rows[["epoch", *measures]].itertuples(index=False):
                made.log(dict(zip(measures, measured, strict=True)), step=epoch)
            made.finish(exit_code=int((rows["status"] == "diverged").any()))
        wandb.teardown()
        kept = Path(temporary) / "kept"
        # The client's own logs stay behind, with what they tell of this machine.
        for file in Path(temporary).glob("wandb/offline-run-*/*.wandb"):
            (kept / file.parent.name).mkdir(parents=True)
            file.rename(kept / file.parent.name / file.name)
        shutil.rmtree(output, ignore_errors=True)
        kept.rename(output)
    program = Path(sys.executable).with_name("wandb")
    return (
        f"{len(replicates)} replicates are in {output}. To look at one, and to upload all:\n"
        f"  {program} leet {output}\n  {program} sync {output}/offline-run-*"
    )


def _client() -> Any:
    os.environ.update(SILENT)
    try:
        import wandb
    except ImportError as error:
        raise StudyError(
            f"--to wandb: the package of Weights & Biases is missing here; `make wandb` installs "
            f"it apart, or call: {sys.executable} -m pip install {PACKAGE}"
        ) from error
    return wandb


def _written(value: Any) -> Any:
    """A list as the text that tables have of it."""
    return text(value) if isinstance(value, list) else value
