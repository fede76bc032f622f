"""Small data sets in every form that a config can name, for the tests that each form passes."""

from pathlib import Path
from typing import Any

from mnistlike import write_dataset


def idx(folder: Path) -> tuple[Any, list[str]]:
    path = write_dataset(folder, classes=["a", "b", "c"], train=30, test=12, side=6)
    return str(path), [str(folder)]


# Form -> a function that writes its files into a folder, and gives what a config then has under
# `data.dataset` and `data.sources`.
FORMS = {"idx": idx}
