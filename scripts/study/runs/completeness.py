"""How far each run has come on disk, and why its job has work to do, without importing torch."""

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from study.runs import checkpoint
from study.runs.fingerprint import differing, of_run
from study.spec.plan import Plan, Run
from study.support.errors import StudyError
from study.support.files import read_text, sha256
from study.support.places import is_writable

# What a finished run leaves beside settings.json, which describes it.
OUTPUTS = ("record.parquet", "weights.safetensors")


@dataclass(frozen=True)
class Completeness:
    """What a run lacks: `reasons` why its job must run, and `epochs` to train, over all seeds.

    `damaged` names outputs that are not what was written; they are made again from the saved
    state. `made` is the request that the outputs were made for, if there are any. `replicates`
    are those that can be gone on from, by seed, as `replicates_of` describes them.
    """

    reasons: tuple[str, ...] = ()
    epochs: int = 0
    damaged: tuple[str, ...] = ()
    made: Mapping[str, Any] | None = None
    replicates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def completeness_of(run: Run, folder: Path, learning: Mapping[str, str]) -> Completeness:
    """Compare the run's folder in `folder` with what the plan asks for.

    `learning` is fingerprint.learning of today's code, data and torch.
    """
    whole = run.epochs * len(run.seeds)
    here = folder / run.run
    path = here / "state.safetensors"
    made = read_settings(here)
    if made is None:
        found = _unfinished(run, path, learning)
        damaged = ("settings.json",) if (here / "settings.json").exists() else ()
        return replace(found, damaged=damaged)
    changed = _changed(run, made["fingerprint"], learning)
    if changed:
        return Completeness(changed, whole)
    reasons, epochs = _lacking(run, made["replicates"])
    if epochs and _unfinished(run, path, learning).reasons != ("unfinished",):
        return Completeness(("the saved state is lost",), whole)
    damaged = tuple(_damaged(here, made))
    reasons += tuple(f"{name} is damaged" for name in damaged)
    return Completeness(reasons, epochs, damaged, made["request"], made["replicates"])


def by_description(run: Run, described: str | None, learning: Mapping[str, str]) -> Completeness:
    """As `completeness_of`, of a run in storage: by the text of its settings.json alone.

    Its files are not looked at, since storage gives them back as they were or not at all.
    """
    whole = run.epochs * len(run.seeds)
    made = None if described is None else parse_settings(described)
    if made is None:
        return Completeness(("new",), whole)
    changed = _changed(run, made["fingerprint"], learning)
    if changed:
        return Completeness(changed, whole)
    reasons, epochs = _lacking(run, made["replicates"])
    return Completeness(reasons, epochs, (), made["request"], made["replicates"])


def sealed(description: Mapping[str, Any]) -> dict[str, Any]:
    """A run's description with a checksum over itself, as settings.json holds it."""
    content = json.dumps(description, sort_keys=True)
    return {**description, "checksum": hashlib.sha256(content.encode()).hexdigest()}


def read_settings(folder: Path) -> dict[str, Any] | None:
    """The content of settings.json, None where it is not there or not as it was written.

    StudyError where the disk fails: what was trained would be trained again.
    """
    try:
        return parse_settings(read_text(folder / "settings.json"))
    except (OSError, UnicodeDecodeError):
        return None


def parse_settings(text: str) -> dict[str, Any] | None:
    """The content of a settings.json of this text, None where it is not as it was written."""
    try:
        made = json.loads(text)
        checksum = made.pop("checksum")
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return made if sealed(made)["checksum"] == checksum else None


def finished_part(plan: Plan, folder: Path, learning: Mapping[str, str]) -> Plan:
    """What of `plan` can be reported from the records in `folder`; StudyError if it is nothing."""
    part = plan.restricted_to(
        {run.run: _epochs_in_record(run, folder / run.run, learning) for run in plan.runs}
    )
    if not part.runs:
        raise StudyError(f"{folder}: no run of this study is finished yet; run it for a while")
    return part


def _epochs_in_record(run: Run, folder: Path, learning: Mapping[str, str]) -> dict[int, float]:
    """Epochs of each seed, infinity where it has diverged."""
    made = read_settings(folder)
    lacks_files = made is None or any(_damaged(folder, made))
    if lacks_files and not is_writable(folder):
        return {}
    if made is not None:
        fingerprint, replicates = made["fingerprint"], made["replicates"]
    else:
        # A job that is extending the run, or was stopped, has none; its state has all the same.
        try:
            saved = checkpoint.read_checkpoint(folder / "state.safetensors")
        except (OSError, checkpoint.DamagedStateError):
            return {}
        fingerprint, replicates = saved.fingerprint, replicates_of(saved)
    if _changed(run, fingerprint, learning):
        return {}
    return {
        int(seed): math.inf if known["diverged"] else known["epochs"]
        for seed, known in replicates.items()
    }


def _unfinished(run: Run, path: Path, learning: Mapping[str, str]) -> Completeness:
    whole = run.epochs * len(run.seeds)
    if not path.exists():
        return Completeness(("new",), whole)
    try:
        saved = checkpoint.read_checkpoint(path)
    except checkpoint.DamagedStateError:
        return Completeness(("damaged",), whole)
    changed = _changed(run, saved.fingerprint, learning)
    if changed:
        return Completeness(changed, whole)
    replicates = replicates_of(saved)
    _, epochs = _lacking(run, replicates)
    return Completeness(("unfinished",), epochs, replicates=replicates)


def replicates_of(saved: checkpoint.Checkpoint) -> dict[str, dict[str, Any]]:
    """How far each seed's replicate has come, as settings.json says it."""
    return {
        str(seed): {
            "epochs": replicate.epochs,
            "diverged": replicate.diverged,
            "weights": sorted(replicate.weights),
        }
        for seed, replicate in sorted(saved.replicates.items())
    }


def _changed(run: Run, made: Mapping[str, str], learning: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{key} changed" for key in differing(made, of_run(run.settings, learning)))


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
        elif unkept := sorted(set(run.kept_epochs) - set(made["weights"])):
            reasons[f"weights of epoch {unkept[0]} were not kept"] = None
            epochs += made["epochs"]
    return tuple(reasons), epochs


def described(path: Path) -> dict[str, Any]:
    """A file as settings.json describes it."""
    return {"bytes": path.stat().st_size, "sha256": sha256(path)}


def times(folder: Path) -> dict[str, int]:
    """When each of a run's outputs was written, in nanoseconds, as settings.json says it."""
    return {name: (folder / name).stat().st_mtime_ns for name in OUTPUTS}


def _damaged(folder: Path, made: Mapping[str, Any]) -> Iterator[str]:
    """Outputs that are not what was written.

    A file with the length and time that it was written with is taken to be whole, as git does; all
    content is read by `make verify`. A copy with other times is read here too.
    """
    for name in OUTPUTS:
        path, known = folder / name, made["files"][name]
        try:
            status = path.stat()
        except OSError:
            yield name
            continue
        same_time = status.st_mtime_ns == made.get("times", {}).get(name)
        if status.st_size != known["bytes"] or not (same_time or described(path) == known):
            yield name
