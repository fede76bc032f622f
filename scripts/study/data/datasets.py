"""The data set that a config names."""

import os
from pathlib import Path

from study.data import idx
from study.data.base import Dataset
from study.support.errors import StudyError
from study.support.resources import resource
from study.support.strict_yaml import suggestion

REGISTRY = resource("resources/datasets.yaml")


def describe(name_or_path: str | Path) -> Dataset:
    """The data set of that name, or the only one that the user's YAML file at that path describes.

    Raises StudyError, naming file and key, for an unknown name and for a faulty description.
    """
    known = idx.entries(REGISTRY)
    if name_or_path in known:
        return idx.parse(REGISTRY, str(name_or_path), known[name_or_path])
    path = Path(os.path.expanduser(name_or_path))
    try:
        is_file = path.is_file()
    except OSError as error:
        raise StudyError(f"data.dataset: {str(name_or_path)[:60]}: {error.strerror}") from None
    if not is_file:
        raise StudyError(
            f"data.dataset: {str(name_or_path)!r} is neither a file nor an entry of "
            f"resources/datasets.yaml{suggestion(name_or_path, known)}"
        )
    return idx.read_description(path)
