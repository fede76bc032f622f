"""What a finished run leaves beside its state: record, weights and settings."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from study.runs import records
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.runs.completeness import OUTPUTS, described, replicates_of, sealed, times
from study.runs.models import Architecture
from study.spec.tasks import CLASSIFICATION, Task
from study.support.files import save_tensors, write_text


def write(
    folder: Path,
    state: Checkpoint,
    target: Target,
    settings: Mapping[str, Any],
    architecture: Architecture,
    task: Task = CLASSIFICATION,
) -> None:
    """Write the run's outputs into `folder`, which bears the run's name.

    settings.json comes last and describes the others.
    """
    made_by = {
        "fingerprint": state.fingerprint,
        **state.made_by,
        "devices": sorted({replicate.device for replicate in state.replicates.values()}),
    }
    arithmetic = {replicate.arithmetic for replicate in state.replicates.values()} - {""}
    if arithmetic:
        made_by["arithmetic"] = sorted(arithmetic)
    record = records.record(folder.name, state, task)
    records.write_parquet(folder / "record.parquet", record, made_by)
    alive = {seed: item for seed, item in sorted(state.replicates.items()) if not item.diverged}
    weights = {
        f"seed_{seed}.{name}": np.ascontiguousarray(tensor)
        for seed, replicate in alive.items()
        for name, tensor in _layers(replicate, architecture).items()
    }
    save_tensors(folder / "weights.safetensors", weights)
    description = {
        "run": folder.name,
        "settings": dict(settings),
        "request": asdict(target),
        "replicates": replicates_of(state),
        "files": {name: described(folder / name) for name in OUTPUTS},
        "times": times(folder),
        **made_by,
    }
    write_text(folder / "settings.json", json.dumps(sealed(description), indent=1) + "\n")


def _layers(replicate: Replicate, architecture: Architecture) -> dict[str, np.ndarray]:
    """Those of the last epoch have no prefix, those that were kept `epoch_<n>.`."""
    return {
        ("" if epoch == replicate.epochs else f"epoch_{epoch}.") + name: tensor
        for epoch, network in replicate.weights.items()
        for name, tensor in architecture.layers(network).items()
    }
