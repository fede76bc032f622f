"""Classify images with an exported model: pictures (PNG and the like) and IDX files."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from tabulate import tabulate

from study.final import export, pictures
from study.support.errors import StudyError, printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", type=Path, nargs="+", help="pictures; IDX files, plain or .gz")
    parser.add_argument(
        "--model", type=Path, default="results/model", help="folder of model.safetensors"
    )
    parser.add_argument(
        "--invert", action="store_true", help="for images dark on light where the model knows light"
    )
    parser.add_argument(
        "--json", action="store_true", help="a line for each image, with every class's probability"
    )


def run(arguments: argparse.Namespace) -> None:
    used = export.read_model(arguments.model / export.FILE)
    if not used.networks:
        raise StudyError(f"{arguments.model}: has no network, since every seed diverged")
    found = [
        named
        for path in arguments.files
        for named in pictures.read_pictures(path, used.description, arguments.invert)
    ]
    inverted = [name for name, image in found if pictures.looks_inverted(image, used.description)]
    if 2 * len(inverted) > len(found):
        print(
            f"{inverted[0]}: its edge is {'light' if used.description.border < 128 else 'dark'}, "
            f"other than the images of {used.description.dataset}; is --invert what you want?",
            file=sys.stderr,
        )
    names, images = zip(*found, strict=True)
    probabilities = used.probabilities(np.stack(images))
    if not np.isfinite(probabilities).all():
        raise StudyError(f"{arguments.model}: gives no probabilities; its weights are too large")
    tell(names, probabilities, used.description.classes, arguments.json)


def tell(
    names: tuple[str, ...], probabilities: np.ndarray, classes: list[str], as_json: bool
) -> None:
    """Print what each image is taken for."""
    best = probabilities.argmax(axis=1)
    if as_json:
        for name, chosen, row in zip(names, best, probabilities.tolist(), strict=True):
            shares = dict(zip(classes, row, strict=True))
            line = {"image": name, "class": classes[chosen], "probabilities": shares}
            print(json.dumps(line, ensure_ascii=False))
        return
    rows = [
        (printable(name), printable(classes[chosen]), f"{row[chosen]:.4f}")
        for name, chosen, row in zip(names, best, probabilities, strict=True)
    ]
    headings = ("image", "class", "probability")
    print(tabulate(rows, headings, disable_numparse=True, colalign=("left", "left", "right")))
