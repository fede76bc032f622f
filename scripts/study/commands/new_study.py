"""Begin a study of your own: a folder with a commented config to change."""

import argparse
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from study.data import datasets
from study.data.base import Data
from study.data.scaling import of_inputs
from study.final import evaluation
from study.spec import config, data_fit, first_config, models
from study.spec.resolution import resolve
from study.spec.tasks import CLASSIFICATION, TASKS, Task
from study.support.errors import StudyError
from study.support.files import write_text
from study.support.resources import resource

TEMPLATE = resource("configs/template.yaml")

# What the workflow makes, beside what a person writes.
IGNORED = "/results/\n/.snakemake/\n"


# What stands under `data`, how many examples there are to learn from, and what is learned of them.
Fitted = tuple[dict[str, Any], int, Task]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="the new study's folder")
    parser.add_argument("--model", default="", help="cnn, file.py or file.py:Name")
    parser.add_argument(
        "--data",
        default="",
        help="a .csv, .parquet, .npz or .py file, a folder of pictures, or a data set's name",
    )
    parser.add_argument("--target", default="", help="the column of a table that is predicted")
    parser.add_argument("--task", default="", choices=["", *TASKS], help="where it is not plain")


def run(args: argparse.Namespace) -> None:
    folder = Path(args.folder)
    if folder == Path():
        raise StudyError("say what the folder is called: make new-study NAME=my-study")
    place = shlex.join([f"FOLDER={folder}"])
    path = folder / "config.yaml"
    if path.exists():
        raise StudyError(f"{path}: is there already; run it: make report {place}")
    if args.target and not args.data:
        raise StudyError(f"TARGET={args.target}: is the column of a table; say which: DATA=my.csv")
    template = TEMPLATE.read_text(encoding="utf-8")
    data = first_config.data_of(args.data, args.target) if args.data else None
    examples, task = None, CLASSIFICATION
    if data is not None and isinstance(data["dataset"], Mapping) and "sources" not in data:
        said = {"task": args.task} if args.task else {}
        data, examples, task = fitted(template, args.model, {**data, **said})
    write_text(path, first_config.text(template, folder, args.model, data, examples, task))
    write_text(folder / ".gitignore", IGNORED)
    print(f"{path} is yours to change. Then:")
    print(f"  make plan {place}      what will be trained, and what it will cost")
    print(f"  make report {place}    train it and write the report")


def fitted(template: str, model: str, data: dict[str, Any]) -> Fitted:
    """`data` with what must be said of them, how many there are to learn from, and the task.

    Raises StudyError where they cannot be read, or the model cannot be made for them.
    """
    try:
        return tried(template, model, data)
    except StudyError:
        if "table" not in data["dataset"]:
            raise
    # The one choice about a table that has a plain default.
    return tried(template, model, {**data, "dataset": {**data["dataset"], "missing": "mean"}})


def tried(template: str, model: str, data: dict[str, Any]) -> Fitted:
    """As `fitted`, of data that say already how they are read."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        dataset = datasets.describe(datasets.named(data))
        dataset.fetch(folder, [], lambda line: None)
        found = dataset.load(folder)
        examples, task = len(found.train), TASKS[found.task]
        if "test" in found.fitted:
            data = {**data, "test": found.fitted["test"]}
        if "python" in data["dataset"] and len(found.inputs) == data_fit.IMAGE:
            data = {**data, "dataset": {**data["dataset"], "examples": "images"}}
        text = first_config.text(template, Path(), model, data, examples, task)
        study = resolve(config.validated(YAML(typ="safe").load(text), "config.yaml"))
        notes = data_fit.check_files(study, dataset, folder)
        try_model(model, found)
        shape = " x ".join(map(str, found.inputs))
        told = f"{examples} training and {len(found.test)} test {dataset.plural} of {shape}"
        outputs = f"{len(found.targets)} classes"
        if task is not CLASSIFICATION:
            outputs = f"to predict {', '.join(found.targets.names)}"
        print(f"{dataset.name}: {told}, {outputs}", *notes, sep="\n")
    return data, examples, task


def try_model(word: str, found: Data) -> None:
    """Make the model for such data, and let it see two examples."""
    if not word or word == models.PERCEPTRON:
        return
    # With torch, which takes seconds to import.
    from study.learning.examples import Examples
    from study.runs import model_loading
    from study.runs.models import module, objective

    model = models.describe(word)
    settings = model.hyperparameters.complete({})
    made = module(model, settings, found.inputs, len(found.targets), of_inputs(found.train.x))
    seen = Examples.from_arrays(found.train.x[:2], found.train.y[:2], "cpu")
    spread = evaluation.spread_of(found)
    wanted = objective(TASKS[found.task], settings, len(found.targets), spread, made.loss)
    model_loading.check(models.source(word), made, wanted, seen, "cpu")
