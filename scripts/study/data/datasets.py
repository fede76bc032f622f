"""The data set that a config names, in whatever form."""

import functools
import json
import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from study.data import idx
from study.data.base import Dataset
from study.data.decoded import Decoded
from study.support.errors import StudyError
from study.support.files import read_bytes
from study.support.resources import resource
from study.support.strict_yaml import suggestion

REGISTRY = resource("resources/datasets.yaml")

# The key of a form under `data.dataset` -> its module, imported when it is named, and its class.
FORMS = {
    "torchvision": ("torchvision_sets", "TorchvisionDataset"),
    "images": ("image_folder", "ImagesDataset"),
    "table": ("table", "TableDataset"),
    "arrays": ("arrays", "ArraysDataset"),
    "python": ("python_function", "PythonDataset"),
}

# Keys under `data` that belong to a form too: how to divide what comes in one part, and the task.
BESIDE = ("test", "task")

# What names a data set: text, or a mapping with a form's key and its options.
Named = str | Path | Mapping[str, Any]


def named(data: Mapping[str, Any]) -> str | dict[str, Any]:
    """What names the data set of a config, whose part `data` this is: all that `describe` needs."""
    beside = {key: data[key] for key in BESIDE if key in data}
    if isinstance(data["dataset"], Mapping):
        return {**data["dataset"], **beside}
    for key in beside:
        raise StudyError(f"data.{key}: {data['dataset']} brings its own")
    return str(data["dataset"])


def as_word(named: Named) -> str:
    """`named` as one word of a command line, which `from_word` reads."""
    return json.dumps(named) if isinstance(named, Mapping) else str(named)


def from_word(word: str) -> Named:
    """What `as_word` wrote; StudyError where it is no JSON."""
    if not word.startswith("{"):
        return word
    try:
        found: dict[str, Any] = json.loads(word)
    except ValueError as error:
        raise StudyError(f"--dataset: not JSON: {error}") from None
    return found


def describe(named: Named) -> Dataset:
    """The data set of that name or form, or the only one that the YAML file at that path describes.

    Raises StudyError, naming file and key, for what is unknown and for a faulty description.
    """
    if isinstance(named, Mapping):
        return _of_form(named)
    known = registered()
    if named in known:
        return idx.parse(REGISTRY, str(named), known[named])
    path = Path(os.path.expanduser(named))
    try:
        is_file = path.is_file()
    except OSError as error:
        raise StudyError(f"data.dataset: {str(named)[:60]}: {error.strerror}") from None
    if not is_file:
        raise StudyError(
            f"data.dataset: {str(named)!r} is neither a file nor an entry of "
            f"resources/datasets.yaml{suggestion(named, known)}"
        )
    return idx.read_description(path)


@functools.cache
def registered() -> dict[str, Any]:
    """The entries of the registry, by name."""
    # By libyaml: every program reads it, and the strict reader takes ten times as long.
    content: dict[str, Any] = YAML(typ="safe").load(read_bytes(REGISTRY))
    return content


def _of_form(options: Mapping[str, Any]) -> Decoded:
    forms = [key for key in options if key in FORMS]
    if len(forms) != 1:
        shown = " and ".join(forms) or ", ".join(options)
        raise StudyError(f"data.dataset: one of {', '.join(FORMS)} is needed, not {shown}")
    module, name = FORMS[forms[0]]
    kind: type[Decoded] = getattr(import_module(f"study.data.{module}"), name)
    for key in options:
        if key not in (kind.form, *kind.keys, *BESIDE):
            hint = suggestion(key, kind.keys)
            raise StudyError(f"data.dataset: {kind.form} takes no {key!r}{hint}")
    for key in (kind.form, *kind.required):
        if not options.get(key):
            raise StudyError(f"data.dataset: {kind.form} needs {key!r}")
    if not isinstance(options[kind.form], str):
        raise StudyError(f"data.dataset.{kind.form}: must be text, is {options[kind.form]!r:.40}")
    kind.check(options)
    return kind(kind.named(options), Path("config"), options)
