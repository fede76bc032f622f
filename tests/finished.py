"""Runs that look finished, made in no time: their folders hold what training would have left."""

from pathlib import Path

import numpy as np

from study.data.scaling import PIXELS
from study.learning.layout import parameters_width
from study.runs import checkpoint as states
from study.runs import models, outputs
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.runs.fingerprint import of_run
from study.spec import plan
from study.spec.config import validated
from study.spec.models import MLP
from study.spec.resolution import resolve
from study.spec.tasks import CLASSIFICATION

LEARNING = {"code": "c0de", "data": "da7a", "torch": "2.0"}

FEATURES, CLASSES = 784, 10


def planned(experiments: dict | None = None, **others: object) -> plan.Plan:
    """The plan of a config with these experiments (or one) and other keys at its top level."""
    experiments = experiments or {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}
    config = {"experiments": experiments} | others
    return resolve(validated(config, "config.yaml"))


def replicate(run: plan.Run, epochs: int, seconds: float = 1.0, diverged: bool = False):
    """A replicate of `epochs` epochs that took so many seconds each."""
    measures = np.full((epochs, len(CLASSIFICATION.columns)), 0.5)
    measures[:, -1] = seconds
    if diverged:
        return Replicate("cpu test", measures, diverged=True)
    sizes = [FEATURES, *run.settings["hidden"], CLASSES]
    return Replicate(
        "cpu test",
        measures,
        tensors={"parameters": np.zeros(parameters_width(sizes), np.float32)},
    )


def write_state(runs: Path, run: plan.Run, replicates: dict[int, Replicate]) -> Checkpoint:
    """Save a state, as training does on its way."""
    saved = Checkpoint(of_run(run.settings, LEARNING), replicates)
    states.write(runs / run.run / "state.safetensors", saved)
    return saved


def finish(runs: Path, run: plan.Run, replicates: dict[int, Replicate] | None = None) -> Path:
    """Write all that a finished run leaves; without `replicates`, just what is asked for."""
    replicates = replicates or {seed: replicate(run, run.epochs) for seed in run.seeds}
    saved = write_state(runs, run, replicates)
    target = Target(list(replicates), max(known.epochs for known in replicates.values()))
    network = models.architecture(MLP, run.settings, (FEATURES,), CLASSES, PIXELS)
    outputs.write(runs / run.run, saved, target, run.settings, network)
    return runs / run.run
