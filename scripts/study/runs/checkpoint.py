"""The checkpoint of a run: all that its replicates have learned and measured so far.

One safetensors file holds, for each seed n, `seed_<n>.parameters`, `seed_<n>.optimizer.*` and the
like (to go on from the last epoch), `seed_<n>.measures` (epochs, columns of the task), and in
`seed_<n>.kept` the weights of epochs gone by that were asked for; its metadata hold the rest as
JSON, with a checksum over everything. A random stream needs no state: each epoch begins its own
(streams.py).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from study.support.files import checksum, save_tensors

# What belongs to a network among the tensors of a replicate, and the prefix of what training moves
# beside the parameters.
PARAMETERS, BUFFERS = "parameters", "buffers."

# In a file, networks of epochs gone by: their parameters, and with a suffix their buffers.
KEPT = "kept"


class DamagedStateError(Exception):
    """A state file that is not what was written."""


# A network's parameters in a row, and its buffers in others, as the model lays them out.
Network = Mapping[str, np.ndarray]


@dataclass
class Replicate:
    """One replicate's state after its last epoch.

    `device` is the kind of device that trains it (device.kind), and `arithmetic` names what that
    one computes with (libraries.named): that of its last epoch, empty where it was trained before
    there were such names. `tensors` are what training goes on from, empty once it has diverged.
    `measures` is (epochs, columns) float64, the columns the task's (spec/tasks.py). `kept` maps an
    epoch whose weights were asked for to these.
    """

    device: str
    measures: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    diverged: bool = False
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    kept: dict[int, Network] = field(default_factory=dict)
    arithmetic: str = ""

    @property
    def epochs(self) -> int:
        return len(self.measures)

    @property
    def weights(self) -> dict[int, Network]:
        """The networks that are evaluated, by epoch: those kept, and those of the last epoch."""
        if self.diverged:
            return {}
        last = {
            name: tensor
            for name, tensor in self.tensors.items()
            if name == PARAMETERS or name.startswith(BUFFERS)
        }
        if "average" in self.tensors:
            last[PARAMETERS] = self.tensors["average"]
            averaged = [name for name in last if f"average.{name}" in self.tensors]
            last |= {name: self.tensors[f"average.{name}"] for name in averaged}
        return self.kept | {self.epochs: last}

    def covers(self, epochs: int, kept_epochs: Collection[int]) -> bool:
        """Whether it has `epochs` epochs, and the weights of `kept_epochs`."""
        if self.diverged:
            return True
        return self.epochs >= epochs and self.weights.keys() >= set(kept_epochs)


@dataclass
class Checkpoint:
    """A run's replicates by seed, and the fingerprint of what their learning depended on.

    `syntax` is what the training code said then (fingerprint.training_syntax); it is not compared
    but by scripts/accept_code.py. `made_by` is what trained last (provenance.made_by).
    """

    fingerprint: dict[str, str]
    replicates: dict[int, Replicate] = field(default_factory=dict)
    syntax: str = ""
    made_by: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """How far a run is to be trained; see plan.Run."""

    seeds: list[int]
    epochs: int
    kept_epochs: list[int] = field(default_factory=list)

    def open_seeds(self, state: Checkpoint) -> list[int]:
        """The seeds that have something left to train."""
        return [
            seed
            for seed in self.seeds
            if seed not in state.replicates
            or not state.replicates[seed].covers(self.epochs, self.kept_epochs)
        ]


def write(path: Path, state: Checkpoint) -> None:
    """Write `state` atomically."""
    tensors: dict[str, np.ndarray] = {}
    for seed, replicate in state.replicates.items():
        prefix = f"seed_{seed}."
        tensors[prefix + "measures"] = replicate.measures
        tensors |= {prefix + name: tensor for name, tensor in replicate.tensors.items()}
        if replicate.kept:
            tensors[prefix + "kept_epochs"] = np.array(list(replicate.kept), np.int64)
            networks = list(replicate.kept.values())
            for name in networks[0]:
                place = prefix + KEPT + name.removeprefix(PARAMETERS)
                tensors[place] = np.stack([network[name] for network in networks])
    tensors = {name: np.asarray(tensor, order="C") for name, tensor in tensors.items()}
    description = {
        "fingerprint": state.fingerprint,
        "syntax": state.syntax,
        "made_by": state.made_by,
        "replicates": {
            str(seed): _described(replicate) for seed, replicate in state.replicates.items()
        },
    }
    description["checksum"] = checksum(description, tensors)
    # One key: safetensors writes several in no fixed order.
    save_tensors(path, tensors, {"state": json.dumps(description, sort_keys=True)})


def read_checkpoint(path: Path) -> Checkpoint:
    """The state in `path`. Raises DamagedStateError where the file is not whole and unaltered."""
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
        tensors = load_file(path)
        description = json.loads(metadata["state"])
        if description.pop("checksum") != checksum(description, tensors):
            raise DamagedStateError(f"{path}: the checksum does not match its content")
        return _parse(description, tensors)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedStateError(f"{path}: is not a whole state file ({error!s:.100})") from None


def _parse(description: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> Checkpoint:
    state = Checkpoint(
        description["fingerprint"], syntax=description["syntax"], made_by=description["made_by"]
    )
    for seed, known in description["replicates"].items():
        prefix = f"seed_{seed}."
        own = {
            name.removeprefix(prefix): tensor
            for name, tensor in tensors.items()
            if name.startswith(prefix)
        }
        epochs = own.pop("kept_epochs", np.empty(0, np.int64)).tolist()
        kept: dict[int, dict[str, np.ndarray]] = {epoch: {} for epoch in epochs}
        for place in [name for name in own if name.startswith(KEPT)]:
            name = place.removeprefix(KEPT) or PARAMETERS
            for network, tensor in zip(kept.values(), own.pop(place), strict=True):
                network[name] = tensor
        state.replicates[int(seed)] = Replicate(
            **known, measures=own.pop("measures"), kept=dict(kept), tensors=own
        )
    return state


def _described(replicate: Replicate) -> dict[str, Any]:
    known = {"device": replicate.device, "diverged": replicate.diverged}
    return known | {"arithmetic": replicate.arithmetic} if replicate.arithmetic else known
