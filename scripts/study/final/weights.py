"""Networks in safetensors files: of several seeds, at one epoch or more."""

import contextlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import safe_open

from study.final.inference import Layers
from study.runs import completeness
from study.support.errors import StudyError
from study.support.files import checksum, save_tensors

AGAIN = "run the workflow again"

# A tensor of an epoch gone by, in a run's weights.
_EPOCH = re.compile(r"epoch_\d+\.")

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
    except (SafetensorError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise damaged(path, str(error), remedy) from None


def damaged(path: str | Path, reason: str, remedy: str) -> StudyError:
    """That a file is not what was written."""
    return StudyError(f"{path}: is damaged ({reason:.100}); remove it and {remedy}")


def read_described(path: Path, remedy: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write_described` was given; StudyError where the file is missing or another."""
    with opened(path, remedy) as file:
        described = json.loads((file.metadata() or {}).get(DESCRIPTION, "null"))
        if not isinstance(described, dict):
            raise ValueError("nothing describes it")
        names = list(file.keys())
        found = {name: file.get_tensor(name) for name in names}
        # Files of before there were checksums have none.
        known = described.pop("checksum", None)
        if known is not None and known != checksum(described, found):
            raise ValueError("its checksum is not that of its content")
    return described, found


def write_described(
    path: Path, tensors: dict[str, np.ndarray], described: Mapping[str, Any]
) -> None:
    """Write `tensors` and, as JSON, what describes them; the same bytes for the same content."""
    # As it is read: what JSON makes of it.
    described = json.loads(json.dumps(described))
    described["checksum"] = checksum(described, tensors)
    save_tensors(path, tensors, {DESCRIPTION: json.dumps(described, ensure_ascii=False)})


def layers(tensors: Mapping[str, np.ndarray]) -> Layers:
    """The layers `layers.<i>` among a perceptron's tensors, from the input on."""
    found = []
    for index in count():
        name = f"layers.{index}"
        if f"{name}.weight" not in tensors:
            return found
        found.append((tensors[f"{name}.weight"], tensors[f"{name}.bias"]))


def _with_prefix(file: Any, prefix: str) -> dict[str, np.ndarray]:
    """The tensors of an open file whose names begin so, without those of epochs gone by."""
    names = set(file.keys())
    names = {name for name in names if name.startswith(prefix)}
    found = {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    return {name: tensor for name, tensor in found.items() if not _EPOCH.match(name)}


def network(
    found: Mapping[str, np.ndarray], prefix: str, sizes: Sequence[int], path: Path, remedy: str
) -> Layers:
    """The layers of a network with `sizes` units, input and output included, from what was read.

    Raises StudyError where one is missing, of another size, or holds what is no number.
    """
    layers = []
    for index, (before, after) in enumerate(pairwise(sizes)):
        pair = []
        for part, shape in {"weight": (after, before), "bias": (after,)}.items():
            name = f"{prefix}.layers.{index}.{part}"
            tensor = found.get(name)
            if tensor is None or tensor.dtype != np.float32 or tensor.shape != shape:
                raise damaged(path, f"{name} is no float32 tensor {list(shape)}", remedy)
            if not np.isfinite(tensor).all():
                raise damaged(path, f"{name} holds values that are no numbers", remedy)
            pair.append(tensor)
        layers.append(tuple(pair))
    return layers


def tensors(layers: Layers, prefix: str) -> dict[str, np.ndarray]:
    """The layers by the names under which `layers` finds them."""
    return {
        f"{prefix}.layers.{index}.{part}": np.ascontiguousarray(tensor)
        for index, pair in enumerate(layers)
        for part, tensor in zip(("weight", "bias"), pair, strict=True)
    }


def of_run(run: Path, seeds: Sequence[int], epoch: int) -> dict[int, Layers]:
    """The perceptrons that a run's `seeds` had at `epoch`, as `tensors_of_run` finds them."""
    return {seed: layers(found) for seed, found in tensors_of_run(run, seeds, epoch).items()}


def tensors_of_run(run: Path, seeds: Sequence[int], epoch: int) -> dict[int, dict[str, np.ndarray]]:
    """The tensors, by name, of the networks that a run's `seeds` had at `epoch`.

    Those that have diverged are left out. `run` is the run's folder. Raises StudyError where
    weights that must be there are missing.
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
            found[seed] = _with_prefix(file, f"seed_{seed}.epoch_{epoch}.")
            if not found[seed] and replicate and replicate["epochs"] == epoch:
                found[seed] = _with_prefix(file, f"seed_{seed}.")
            if not found[seed]:
                raise StudyError(f"{path}: has no weights of seed {seed} at epoch {epoch}; {AGAIN}")
    return found
