"""What a finished run leaves beside its state: record, weights and settings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from study.learning.layout import split_layers
from study.runs import records
from study.runs.checkpoint import Replicate, Request, State
from study.runs.completeness import OUTPUTS, described, replicates_of, sealed, times
from study.support.files import save_tensors, write_text


def write(
    folder: Path,
    state: State,
    request: Request,
    settings: Mapping[str, Any],
    sizes: Sequence[int],
) -> None:
    """Write the run's outputs into `folder`, which bears the run's name.

    `sizes` are the units of each layer, input and output included. settings.json comes last and
    describes the others.
    """
    made_by = {
        "fingerprint": state.fingerprint,
        **state.made_by,
        "devices": sorted({replicate.device for replicate in state.replicates.values()}),
    }
    arithmetic = {replicate.arithmetic for replicate in state.replicates.values()} - {""}
    if arithmetic:
        made_by["arithmetic"] = sorted(arithmetic)
    records.write_parquet(folder / "record.parquet", records.record(folder.name, state), made_by)
    alive = {seed: item for seed, item in sorted(state.replicates.items()) if not item.diverged}
    weights = {
        f"seed_{seed}.{name}": np.ascontiguousarray(tensor)
        for seed, replicate in alive.items()
        for name, tensor in _layers(replicate, sizes).items()
    }
    save_tensors(folder / "weights.safetensors", weights)
    description = {
        "run": folder.name,
        "settings": dict(settings),
        "request": asdict(request),
        "replicates": replicates_of(state),
        "files": {name: described(folder / name) for name in OUTPUTS},
        "times": times(folder),
        **made_by,
    }
    write_text(folder / "settings.json", json.dumps(sealed(description), indent=1) + "\n")


def _layers(replicate: Replicate, sizes: Sequence[int]) -> dict[str, np.ndarray]:
    """Weights (outputs, inputs) and biases as `torch.nn.Linear` layers hold them.

    Those of the last epoch have no prefix, those that were kept `epoch_<n>.`.
    """
    layers = {}
    for epoch, row in replicate.weights.items():
        prefix = "" if epoch == replicate.epochs else f"epoch_{epoch}."
        weights, biases = split_layers(row[None], sizes)
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            layers[f"{prefix}layers.{index}.weight"] = weight[0].T
            layers[f"{prefix}layers.{index}.bias"] = bias[0, 0]
    return layers
