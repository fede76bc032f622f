"""Networks in safetensors files: of several seeds, at one epoch or more."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import safe_open

from study.final.inference import Layers
from study.runs import completeness
from study.support.errors import StudyError
from study.support.files import save_tensors

AGAIN = "run the workflow again"

# The one key of a file's metadata, which safetensors keep in no order: JSON of all there is.
DESCRIPTION = "description"


@contextlib.contextmanager
def opened(path: str | Path, remedy: str) -> Iterator[Any]:
    """An open safetensors file; StudyError, with what to do, where it is missing or damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            yield file
    except FileNotFoundError:
        raise StudyError(f"{path}: is missing; {remedy}") from None
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise StudyError(f"{path}: is damaged ({error}); remove it and {remedy}") from None


def description(file: Any) -> dict[str, Any]:
    """What `write_described` was given; KeyError in a file that it did not write."""
    return json.loads((file.metadata() or {})[DESCRIPTION])


def write_described(
    path: Path, tensors: dict[str, np.ndarray], described: Mapping[str, Any]
) -> None:
    """Write `tensors` and, as JSON, what describes them; the same bytes for the same content."""
    save_tensors(path, tensors, {DESCRIPTION: json.dumps(described, ensure_ascii=False)})


def layers(file: Any, prefix: str) -> Layers:
    """The layers `<prefix>.layers.<i>` of an open file, from the input on; empty without any."""
    names = set(file.keys())
    found = []
    for index in count():
        name = f"{prefix}.layers.{index}"
        if f"{name}.weight" not in names:
            return found
        found.append((file.get_tensor(f"{name}.weight"), file.get_tensor(f"{name}.bias")))


def tensors(layers: Layers, prefix: str) -> dict[str, np.ndarray]:
    """The layers by the names under which `layers` finds them."""
    return {
        f"{prefix}.layers.{index}.{part}": np.ascontiguousarray(tensor)
        for index, pair in enumerate(layers)
        for part, tensor in zip(("weight", "bias"), pair, strict=True)
    }


def of_run(run: Path, seeds: Sequence[int], epoch: int) -> dict[int, Layers]:
    """The networks that a run's `seeds` had at `epoch`; those that have diverged are left out.

    `run` is the run's folder. Raises StudyError where weights that must be there are missing.
    """
    made = completeness.read_settings(run)
    if made is None:
        raise StudyError(f"{run / 'settings.json'}: is missing or damaged; {AGAIN}")
    path = run / "weights.safetensors"
    known = {seed: made["replicates"].get(str(seed)) for seed in seeds}
    found = {}
    with opened(path, AGAIN) as file:
        for seed, replicate in known.items():
            if replicate and replicate["diverged"]:
                continue
            found[seed] = layers(file, f"seed_{seed}.epoch_{epoch}")
            if not found[seed] and replicate and replicate["epochs"] == epoch:
                found[seed] = layers(file, f"seed_{seed}")
            if not found[seed]:
                raise StudyError(f"{path}: has no weights of seed {seed} at epoch {epoch}; {AGAIN}")
    return found
