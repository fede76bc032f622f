"""The options that several commands have, declared once; a command names those that it takes."""

import argparse
from pathlib import Path
from typing import Any

from study.support.resources import project_file


def positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError
    return number


def _path(help: str) -> dict[str, Any]:
    return {"type": Path, "required": True, "help": help}


OPTIONS: dict[str, dict[str, Any]] = {
    "--plan": _path("results/plan.json"),
    "--runs": _path("results/runs"),
    "--metrics": _path("results/metrics.parquet"),
    "--summary": _path("results/summary.parquet"),
    "--claims": _path("results/claims.parquet"),
    "--evaluation": _path("results/final.safetensors"),
    "--figures": _path("folder of the figures"),
    "--data": _path("folder of the data set's files"),
    "--output": _path("what to write"),
    "--receipt": {"type": Path, "help": "where to note what it was made from"},
    "--results": {"type": Path, "default": "results", "help": "the study's results"},
    "--configfile": {
        "type": Path,
        "default": project_file("config.yaml"),
        "help": "the study's config",
    },
    "--language": {"required": True, "help": "its language"},
    "--yes": {"action": "store_true", "help": "do not ask"},
}


def add(parser: argparse._ActionsContainer, *names: str, **other: Any) -> None:
    """Give a parser these options, each as it is declared here but for what `other` says."""
    for name in names:
        parser.add_argument(name, **(OPTIONS[name] | other))
