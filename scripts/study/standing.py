"""How far each run has come on disk, and why its job has work to do, without importing torch."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study import state
from study.plan import Run

# What a finished run leaves beside settings.json, which describes it.
OUTPUTS = ("record.parquet", "weights.safetensors", "predictions.safetensors")

# Outputs that are checked whole at every call; of the others, which are larger, the length.
CHECKED_WHOLE = ("record.parquet",)


@dataclass(frozen=True)
class Standing:
    """What a run lacks: `reasons` why its job must run, and `epochs` to train, over all seeds.

    `damaged` names outputs that are not what was written; they are made again from the saved
    state. `made` is the request that the outputs were made for, if there are any.
    """

    reasons: tuple[str, ...] = ()
    epochs: int = 0
    damaged: tuple[str, ...] = ()
    made: Mapping[str, Any] | None = None


def standing(run: Run, folder: Path, learning: Mapping[str, str]) -> Standing:
    """Compare the run's folder in `folder` with what the plan asks for.

    `learning` is fingerprint.learning of today's code, data and torch.
    """
    whole = run.epochs * len(run.seeds)
    try:
        made = json.loads((folder / run.run / "settings.json").read_text(encoding="utf-8"))
        fingerprint, replicates, request = (
            made[key] for key in ("fingerprint", "replicates", "request")
        )
    except (OSError, ValueError, KeyError, TypeError):
        return _unfinished(run, folder / run.run / "state.safetensors", learning)
    changed = _changed(fingerprint, learning)
    if changed:
        return Standing(changed, whole)
    reasons, epochs = _lacking(run, replicates)
    damaged = tuple(_damaged(folder / run.run, made.get("files", {})))
    reasons += tuple(f"{name} is damaged" for name in damaged)
    return Standing(reasons, epochs, damaged, request)


def _unfinished(run: Run, path: Path, learning: Mapping[str, str]) -> Standing:
    whole = run.epochs * len(run.seeds)
    if not path.exists():
        return Standing(("new",), whole)
    try:
        saved = state.read(path)
    except state.DamagedStateError:
        return Standing(("damaged",), whole)
    changed = _changed(saved.fingerprint, learning)
    if changed:
        return Standing(changed, whole)
    replicates = {
        str(seed): {
            "epochs": replicate.epochs,
            "diverged": replicate.diverged,
            "predictions": sorted(replicate.predicted),
        }
        for seed, replicate in saved.replicates.items()
    }
    _, epochs = _lacking(run, replicates)
    return Standing(("unfinished",), epochs)


def _changed(fingerprint: Mapping[str, str], learning: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"{key} changed" for key, value in learning.items() if fingerprint.get(key) != value
    )


def _lacking(run: Run, replicates: Mapping[str, Mapping[str, Any]]) -> tuple[tuple[str, ...], int]:
    reasons: dict[str, None] = {}
    epochs = 0
    for seed in run.seeds:
        made = replicates.get(str(seed))
        if made is None:
            reasons["more seeds"] = None
            epochs += run.epochs
        elif made["diverged"]:
            continue
        elif made["epochs"] < run.epochs:
            reasons["more epochs"] = None
            epochs += run.epochs - made["epochs"]
        elif run.final_epoch is not None and run.final_epoch not in made["predictions"]:
            reasons[f"predictions of epoch {run.final_epoch} were not kept"] = None
            epochs += made["epochs"]
    return tuple(reasons), epochs


def _damaged(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name in OUTPUTS:
        path, known = folder / name, files.get(name)
        intact = known and path.is_file() and path.stat().st_size == known["bytes"]
        if intact and name in CHECKED_WHOLE:
            intact = sha256(path) == known["sha256"]
        if not intact:
            yield name


def sha256(path: Path) -> str:
    """The file's checksum, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
