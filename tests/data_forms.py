"""Small data sets in every form that a config can name, for the tests that each form passes."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from mnistlike import idx_bytes, write_dataset

Form = tuple[Any, list[str]]

LOADER = """
import numpy as np

def load():
    print("loading")
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 4))
    return x[:20], x[:20, :2] * 3, x[20:], x[20:, :2] * 3
"""


def idx(folder: Path) -> Form:
    path = write_dataset(folder, classes=["a", "b", "c"], train=30, test=12, side=6)
    return str(path), [str(folder)]


def table(folder: Path) -> Form:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "height": random.normal(170, 10, 60),
            "colour": random.choice(["red", "green"], 60),
            "is_old": random.choice([True, False], 60),
            "kind": random.choice(["x", "y", "z"], 60),
        }
    )
    frame.loc[3, "height"] = np.nan
    frame.to_csv(folder / "made up.csv", index=False)
    options = {"table": str(folder / "made up.csv"), "target": "kind", "missing": "mean"}
    return options, []


def quantities(folder: Path) -> Form:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(50, 4)), columns=list("abcd"))
    frame.to_parquet(folder / "made.parquet")
    options = {"table": str(folder / "made.parquet"), "target": "d"}
    return options | {"test": {"size": 10, "seed": 3}}, []


def arrays(folder: Path) -> Form:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (30, 5, 4, 3), np.uint8)
    y = np.arange(30) % 3 + 1
    np.savez(folder / "a.npz", x_train=x[:20], y_train=y[:20], x_test=x[20:], y_test=y[20:])
    return {"arrays": str(folder / "a.npz")}, []


def python(folder: Path) -> Form:
    folder.mkdir(parents=True)
    (folder / "my_data.py").write_text(LOADER)
    return {"python": str(folder / "my_data.py")}, []


def images(folder: Path) -> Form:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(8):
            pixels = random.integers(0, 256, (9, 7 + number % 2), np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return {"images": str(folder), "size": [6, 5]}, []


def torchvision(folder: Path) -> Form:
    """EMNIST's letters, as its files hold them: in MNIST's form, lying, labels from 1."""
    raw = folder / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in (("train", 52), ("test", 26)):
        pixels = random.integers(0, 256, (count, 28, 28), np.uint8)
        start = raw / f"emnist-letters-{part}"
        Path(f"{start}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        Path(f"{start}-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(count) % 26 + 1))
    return {"torchvision": "EMNIST", "split": "letters"}, [str(folder)]


# Form -> a function that writes its files into a folder, and gives what a config then has under
# `data.dataset` and `data.sources`.
FORMS = {
    "idx": idx,
    "table": table,
    "quantities": quantities,
    "arrays": arrays,
    "python": python,
    "images": images,
    "torchvision": torchvision,
}
