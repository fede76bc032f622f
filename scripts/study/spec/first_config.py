"""The first config of a study of one's own: the template, for a given model and given data."""

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from study.data import datasets, torchvision_sets
from study.spec import model_file, models
from study.spec.models import Model
from study.spec.tasks import CLASSIFICATION, Task
from study.support.errors import StudyError, printable
from study.support.strict_yaml import suggestion

# How a file's name ends -> the form of its data.
FILES = {".csv": "table", ".parquet": "table", ".npz": "arrays", ".py": "python"}

# Pictures of a folder are fitted into this size, until the config says another.
SIZE = [32, 32]

# Of data that come by name: images held out of training, and of a set that has few.
HELD_OUT = {"USPS": 1000}
MOST_HELD_OUT = 10_000

# Training examples below which the template's batches would be few.
FEW = 2000

# Parts of the template that others take the place of.
_DATA = re.compile(r"^data:\n(?: .*\n)+", re.M)
_NETWORK = re.compile(r"^  dropout: .*\n  hidden: .*\n", re.M)
_EXPERIMENT = re.compile(r"^  activation:\n    vary: .*\n", re.M)
_CLAIMS = re.compile(r"^# What you expect(?:.*\n)+?\n", re.M)
_BATCH = re.compile(r"^  batch_size: .*$", re.M)


def data_of(word: str, target: str = "") -> dict[str, Any]:
    """The keys under `data` for the file, folder or name `word`; `target` is a table's column.

    A path is as `word` has it. Raises StudyError for what is no data set.
    """
    path = Path(word).expanduser()
    form = FILES.get(path.suffix)
    if target and form != "table":
        raise StudyError(f"TARGET={target}: is the column of a table, and DATA={word} is none")
    name, _, split = word.partition("-")
    if word == "EMNIST":
        raise StudyError(f"DATA={word}: has parts; say which: DATA=EMNIST-letters or the like")
    if word in datasets.registered():
        return {"dataset": word}
    if name in torchvision_sets.NAMES:
        named = {"torchvision": name} | ({"split": split} if split else {})
        datasets.describe(named)
        return {"dataset": named, "sources": ["torchvision"]}
    if path.is_dir():
        return {"dataset": {"images": str(path), "size": SIZE}}
    if form is None and path.suffix not in (".yaml", ".yml"):
        known = dict.fromkeys([*datasets.registered(), *torchvision_sets.NAMES])
        raise StudyError(
            f"DATA={word}: is no folder of pictures, no file that ends in {', '.join(FILES)}, and "
            f"no data set's name{suggestion(word, known)}"
        )
    if not path.is_file():
        raise StudyError(f"DATA={word}: no such file")
    if form is None:
        return {"dataset": str(path), "sources": [str(path.parent)]}
    if form == "table" and not target:
        raise StudyError(
            f"DATA={word}: say which column is to be predicted, as TARGET=name; it has "
            f"{_columns(path)}"
        )
    return {"dataset": {form: str(path)} | ({"target": target} if target else {})}


def _columns(path: Path) -> str:
    # With pandas, which planning does without.
    from study.data.table_reading import read_table

    names = [str(name) for name in read_table(path).columns]
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if names[20:] else "")


def seen_from(folder: Path, path: str) -> str:
    """A path as a study in `folder` has it; one that begins at the root stays."""
    return path if os.path.isabs(path) else os.path.relpath(path, folder)


def text(
    template: str,
    folder: Path,
    model: str = "",
    data: Mapping[str, Any] | None = None,
    examples: int | None = None,
    task: Task = CLASSIFICATION,
) -> str:
    """The template as the config of a study in `folder`.

    `model` is a word of the config's, as seen from here, or empty for the perceptron; `data` are
    the keys under `data`, with paths as seen from here, or None for those of the template.
    `examples` says how many there are to learn from, where that is known, and `task` what is
    learned of them.
    """
    if data is not None:
        template = _DATA.sub(lambda _: _data_part(folder, data, examples), template)
        if examples is not None and examples < FEW:
            template = _BATCH.sub("  batch_size: 32", template)
    described = models.describe(model) if model else models.MLP
    if not described.is_perceptron or task is not CLASSIFICATION:
        template = _CLAIMS.sub(
            "# What you expect, put to the test, stands under `claims`: docs/howto.md.\n\n",
            template,
        )
    if described.is_perceptron:
        return template
    template = _NETWORK.sub(lambda _: _settings(described), template)
    template = _EXPERIMENT.sub(lambda _: _experiment(described), template)
    if model not in models.BUILT_IN:
        path, name = model_file.parse(model, ())
        model = seen_from(folder, str(path)) + (f":{name}" if name else "")
    return template.replace(
        "\ndata:\n",
        "\n# A PyTorch module and its settings; docs/model.md of the program says how it is read.\n"
        f"model: {_flow(model)}\n\ndata:\n",
        1,
    )


def _data_part(folder: Path, data: Mapping[str, Any], examples: int | None) -> str:
    dataset, sources = data["dataset"], data.get("sources")
    if isinstance(dataset, Mapping):
        form = next(iter(dataset))
        if form != "torchvision":
            dataset = {**dataset, form: seen_from(folder, dataset[form])}
    elif sources is not None:
        dataset, sources = seen_from(folder, dataset), [seen_from(folder, *sources)]
    else:
        sources = [f"../results/data/{dataset}", f"data/{dataset}/raw", "torchvision", "debian"]
    name = dataset.get("torchvision") if isinstance(dataset, Mapping) else dataset
    held_out = min(HELD_OUT.get(str(name), MOST_HELD_OUT), max(1, (examples or 10**9) // 5))
    validation = {"from": "train", "size": held_out, "seed": 0}
    lines = ["data:", f"  dataset: {_flow(dataset)}"]
    if isinstance(dataset, Mapping) and "missing" in dataset:
        lines.append("  # Values are missing: take their column's mean, or `indicator`, or `drop`.")
    lines += [f"  {key}: {_flow(data[key])}" for key in ("task", "test") if key in data]
    lines += [
        "  # What values are compared on: `test` for the test part, or examples held out of the",
        "  # training part, so that the final model meets the test part once, unselected.",
        f"  validation: {_flow(validation)}",
    ]
    if sources is not None:
        lines += [
            "  # Where the files may lie, in this order; relative to this study's folder.",
            f"  sources: {_flow(sources)}",
        ]
    return "\n".join(lines) + "\n"


def _settings(model: Model) -> str:
    """The model's settings at their defaults, each a comment that may be taken away."""
    lines = ["  # Settings of the model; these are its defaults:"]
    for name, schema in (model.parameters or {}).items():
        told = printable(schema.get("description", ""))
        lines.append(f"  # {name}: {_flow(schema['default'])}{f'  # {told}' if told else ''}")
    return "\n".join(lines) + "\n" if model.parameters else ""


def _experiment(model: Model) -> str:
    """One over a setting of the model, or over the learning rate where no other value is plain."""
    name = "learning_rate"
    values: list[Any] = [0.0003, 0.001, 0.003]
    found = [
        (rank, each, others)
        for each, schema in (model.parameters or {}).items()
        for rank, others in [_others(schema)]
        if others
    ]
    if found:
        _, name, others = min(found, key=lambda each: each[0])
        values = [(model.parameters or {})[name]["default"], *others]
    called = f"by_{name}" if name.startswith("final") else name
    return f"  {called}:\n    vary: {_flow({name: values})}\n"


def _others(schema: Mapping[str, Any]) -> tuple[int, list[Any]]:
    """Values to hold a default against, after how telling these are: the lowest is best."""
    default = schema["default"]
    match schema.get("type"):
        case "array":
            return 0, [[2 * item for item in default]] if any(default) else []
        case None:
            return 1, [word for word in schema["enum"] if word != default]
        case "boolean":
            return 2, [not default]
        case "number":
            return 3, [default / 2 if default else 0.1]
        case "integer":
            return 4, [2 * default] if default else []
        case _:
            return 5, []


def _flow(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    yaml = YAML()
    yaml.default_flow_style = True
    yaml.width = 1_000_000
    written = io.StringIO()
    # In a mapping: alone, a text would be followed by a mark of the document's end.
    yaml.dump({"x": value}, written)
    return written.getvalue().strip().removeprefix("{x: ").removesuffix("}")
