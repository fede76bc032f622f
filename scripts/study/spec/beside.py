"""The study that `report.beside` names: another one's results, which are read and not trusted."""

import json
from dataclasses import dataclass
from pathlib import Path

from study.spec import schemas
from study.spec.config import checked_settings
from study.spec.settings import Settings
from study.support.errors import StudyError
from study.support.files import read_text

# What is read of a study that is shown beside another.
FILES_BESIDE = ("plan.json", "metrics.parquet", "final.safetensors")

# What is read of the plan of a study that is shown beside another.
_PLAN = {
    "type": "object",
    "required": ["validation", "final"],
    "properties": {
        "validation": {
            "if": {"type": "object"},
            "then": {
                "required": ["from", "size", "seed"],
                "properties": {
                    "from": {"const": "train"},
                    "size": {"type": "integer", "minimum": 1},
                    "seed": {"type": "integer", "minimum": 0},
                },
            },
            "else": {"const": "test"},
        },
        "final": {
            "type": ["object", "null"],
            "required": ["run", "epochs", "settings"],
            "properties": {
                "run": {"type": "string"},
                "epochs": {"type": "integer", "minimum": 1},
                "settings": {"type": "object"},
            },
        },
    },
}


def files_beside(folder: str | None) -> list[str]:
    """What is read of the study that is shown beside another; nothing before it is all there."""
    if not folder:
        return []
    paths = [Path(folder, name) for name in FILES_BESIDE]
    try:
        return list(map(str, paths)) if all(path.is_file() for path in paths) else []
    except OSError as error:
        raise StudyError(f"report.beside: {folder[:60]}: {error.strerror}") from None


@dataclass(frozen=True)
class FinalBeside:
    """The final model of another study, which holds `held_out` images out for validation."""

    run: str
    epochs: int
    settings: Settings
    held_out: int


def final_beside(folder: Path) -> FinalBeside:
    """The final model of a study that can be shown beside another, from its plan.json."""
    path = folder / "plan.json"
    try:
        found = json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise foreign(path, f"cannot be read ({error!s:.100})") from None
    fault = next(schemas.errors(found, _PLAN), None)
    if fault:
        place = ".".join(map(str, fault.absolute_path)) or "top level"
        raise foreign(path, f"{place}: {fault.message:.100}")
    if found["validation"] == "test" or found["final"] is None:
        raise no_final(folder)
    final = found["final"]
    settings = checked_settings(final["settings"], f"report.beside: {path}")
    return FinalBeside(final["run"], final["epochs"], settings, found["validation"]["size"])


def foreign(path: Path, reason: str) -> StudyError:
    """That a file is none of a study that can be shown beside another."""
    return StudyError(
        f"report.beside: {path}: {reason}; run that study again, or leave `beside` out"
    )


def no_final(folder: Path) -> StudyError:
    """That a study has nothing to show beside another."""
    return StudyError(
        f"report.beside: {folder}: has no final model that is validated on held-out images; "
        "name the results of a study with data.validation.from: train"
    )
