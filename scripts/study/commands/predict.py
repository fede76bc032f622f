"""Answer with an exported model: pictures (PNG and the like), IDX files, tables or arrays."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tabulate import tabulate

from study.final import export, pictures
from study.final.export import Description
from study.support.errors import StudyError, printable

FILES = (
    "pictures and IDX files, plain or .gz; for a model of tables .csv or .parquet, for one of "
    "arrays .npy, or .npz with x"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", help=FILES)
    parser.add_argument(
        "--model", type=Path, default="results/model", help="folder of model.safetensors"
    )
    parser.add_argument(
        "--invert", action="store_true", help="for images dark on light where the model knows light"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="a line for each example, with every class's probability, or every prediction",
    )


def run(arguments: argparse.Namespace) -> None:
    used = export.read_model(arguments.model / export.FILE)
    if not used.networks:
        raise StudyError(f"{arguments.model}: has no network, since every seed diverged")
    described = used.description
    found = [
        named for path in arguments.files for named in _read(path, described, arguments.invert)
    ]
    if described.is_images:
        _doubt_tone(found, described)
    names, examples = zip(*found, strict=True)
    answers = used.probabilities(np.stack(examples))
    if not np.isfinite(answers).all():
        what = described.answers
        raise StudyError(f"{arguments.model}: gives no {what}; its weights are too large")
    tell(names, answers, described, arguments.json)


def _read(path: Path, described: Description, invert: bool) -> list[tuple[str, np.ndarray]]:
    """The examples of a file."""
    if described.is_images:
        return list(pictures.read_pictures(path, described, invert))
    if invert:
        raise StudyError("--invert: is for images, which this model does not take")
    # With pandas, which images do without.
    from study.final import rows

    return list(rows.read_rows(path, described))


def _doubt_tone(found: list[tuple[str, np.ndarray]], described: Description) -> None:
    """Ask about images that are mostly light where the model knows dark, or the other way."""
    inverted = [name for name, image in found if pictures.looks_inverted(image, described)]
    if 2 * len(inverted) > len(found):
        print(
            f"{inverted[0]}: its edge is {'light' if described.border < 128 else 'dark'}, "
            f"other than the images of {described.dataset}; is --invert what you want?",
            file=sys.stderr,
        )


def tell(
    names: tuple[str, ...], answers: np.ndarray, described: Description, as_json: bool
) -> None:
    """Print what each example is taken for, or what is predicted of it."""
    told = _predictions if described.targets else _classes
    told(names, answers, described, as_json)


def _classes(
    names: tuple[str, ...], probabilities: np.ndarray, described: Description, as_json: bool
) -> None:
    classes, what = described.classes, "image" if described.is_images else "example"
    best = probabilities.argmax(axis=1)
    if as_json:
        for name, chosen, row in zip(names, best, probabilities.tolist(), strict=True):
            shares = dict(zip(classes, row, strict=True))
            line = {what: name, "class": classes[chosen], "probabilities": shares}
            print(json.dumps(line, ensure_ascii=False))
        return
    rows = [
        (printable(name), printable(classes[chosen]), f"{row[chosen]:.4f}")
        for name, chosen, row in zip(names, best, probabilities, strict=True)
    ]
    headings = (what, "class", "probability")
    print(tabulate(rows, headings, disable_numparse=True, colalign=("left", "left", "right")))


def _predictions(
    names: tuple[str, ...], predictions: np.ndarray, described: Description, as_json: bool
) -> None:
    what = "image" if described.is_images else "example"
    targets = [target["name"] for target in described.targets]
    if as_json:
        for name, row in zip(names, predictions.tolist(), strict=True):
            line = {what: name, "predictions": dict(zip(targets, row, strict=True))}
            print(json.dumps(line, ensure_ascii=False))
        return
    rows = [
        (printable(name), *(f"{value:.6g}" for value in row))
        for name, row in zip(names, predictions.tolist(), strict=True)
    ]
    units = [f" ({target['unit']})" if target["unit"] else "" for target in described.targets]
    headings = [what, *(printable(name + unit) for name, unit in zip(targets, units, strict=True))]
    aligned = ("left", *["right"] * len(targets))
    print(tabulate(rows, headings, disable_numparse=True, colalign=aligned))
