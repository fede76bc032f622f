"""A small made-up data set in MNIST's form, quick to learn, for the tests of everything else."""

import gzip
import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def write_dataset(
    folder: str | Path,
    classes: Sequence[str] | dict[str, Sequence[str]] = DIGITS,
    train: int = 600,
    test: int = 200,
    side: int = 28,
    seed: int = 0,
) -> Path:
    """Write four gzipped IDX files and the YAML file that describes them, whose path is returned.

    Each image is its class's random pattern under noise. `classes` is as in
    resources/datasets.yaml: a list of names, or one for each language. The same arguments give
    the same bytes.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(classes, dict):
        class_names = {code: list(names) for code, names in classes.items()}
        class_count = len(next(iter(class_names.values())))
    else:
        class_names = list(classes)
        class_count = len(class_names)

    random = np.random.default_rng(seed)
    patterns = random.choice([60.0, 195.0], size=(class_count, side, side))
    files = {}
    for part, count in {"train": train, "test": test}.items():
        labels = random.permutation(np.arange(count) % class_count)
        noise = random.normal(scale=60, size=(count, side, side))
        images = np.clip(patterns[labels] + noise, 0, 255)
        files[f"{part}_images"] = _write_idx(folder / f"{part}-images-idx3-ubyte", images)
        files[f"{part}_labels"] = _write_idx(folder / f"{part}-labels-idx1-ubyte", labels)

    description = folder / "mnistlike.yaml"
    YAML().dump({"MnistLike": {"files": files, "classes": class_names}}, description)
    return description


def idx_bytes(array: np.ndarray) -> bytes:
    """An array as the content of an IDX file of unsigned bytes."""
    header = struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape)
    return header + array.astype(np.uint8).tobytes()


def _write_idx(path: Path, array: np.ndarray) -> dict[str, str]:
    content = idx_bytes(array)
    Path(f"{path}.gz").write_bytes(gzip.compress(content, mtime=0))
    return {"name": path.name, "sha256": hashlib.sha256(content).hexdigest()}
