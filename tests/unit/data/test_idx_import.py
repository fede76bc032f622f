"""Arrays of a user's own become a data set that is described right, with what is odd told."""

import subprocess
import sys

import numpy as np
import pytest

from mnistlike import write_dataset
from small_study import ROOT
from study.data import datasets, idx_import
from study.support.errors import StudyError


def arrays(**changes) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    made = {
        "x_train": random.integers(0, 256, (12, 5, 4)),
        "y_train": np.arange(12) % 3,
        "x_test": random.integers(0, 256, (6, 5, 4)),
        "y_test": np.arange(6) % 3,
    }
    return made | changes


def program(*words):
    command = [sys.executable, ROOT / "scripts" / "describe_data.py", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_what_is_written_is_verified_by_its_description(tmp_path):
    np.savez(tmp_path / "mine.npz", **arrays())
    done = program(tmp_path / "mine.npz", "--output", tmp_path / "out", "--name", "Mine")
    assert done.returncode == 0, done.stderr
    assert "12 training and 6 test images of 5 x 4 pixels, 3 classes" in done.stdout
    assert done.stderr == ""
    dataset = datasets.describe(tmp_path / "out" / "dataset.yaml")
    dataset.verify(tmp_path / "out")
    assert dataset.targets.in_language("en") == ["0", "1", "2"]
    found = dataset.load(tmp_path / "out").train.x
    assert (found.reshape(12, 5, 4) == arrays()["x_train"]).all()


def test_a_folder_of_idx_files_is_described_as_it_is(tmp_path):
    write_dataset(tmp_path / "mine", classes=["a", "b"], train=20, test=10, side=8)
    subprocess.run(["gunzip", *map(str, (tmp_path / "mine").glob("*.gz"))], check=True)
    known = datasets.describe(tmp_path / "mine" / "mnistlike.yaml")
    done = program(
        *(tmp_path / "mine", "--output", tmp_path / "out", "--name", "Mine"),
        *("--classes", "a", "b"),
    )
    assert done.returncode == 0, done.stderr
    assert datasets.describe(tmp_path / "out" / "dataset.yaml").digest == known.digest


def test_fractions_become_bytes():
    described = idx_import.described(arrays(x_train=arrays()["x_train"] / 255))
    assert (described.arrays["x_train"] == arrays()["x_train"]).all()
    assert described.warnings == []


def test_fractions_that_were_cast_before_are_told():
    cast = (arrays()["x_train"] / 255).astype(np.uint8)
    [told] = idx_import.described(arrays(x_train=cast)).warnings
    assert "x_train: no pixel is brighter than 1 of 255" in told or "than 0 of 255" in told


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"y_train": np.arange(12) % 2}, "y_train: no image is of class 2 (2)"),
        (
            {"y_train": np.arange(12) % 3 + 1, "y_test": np.arange(6) % 3 + 1},
            "labels seem to begin at 1",
        ),
        ({"x_test": arrays()["x_train"][:6]}, "6 of 6 images are among the training images too"),
        ({"x_train": arrays()["x_train"] * 0.9}, "no whole numbers, and were rounded"),
    ],
)
def test_what_is_odd_is_told(changes, warning):
    assert warning in "\n".join(idx_import.described(arrays(**changes)).warnings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x_train": np.zeros((12, 5, 4, 3))}, r"grey images"),
        ({"x_train": np.full((12, 5, 4), 256)}, r"0 to 255 or fractions .* not 256 to 256"),
        ({"x_train": np.full((12, 5, 4), np.nan)}, r"no numbers"),
        ({"x_train": np.zeros((12, 5, 5))}, r"one size"),
        ({"y_train": np.arange(11) % 3}, r"11 labels for 12 images"),
        ({"y_train": np.arange(12) / 2}, r"whole numbers"),
        ({"y_train": np.array(["a"] * 12)}, r"one number for each image"),
        ({"y_test": np.full(6, -1)}, r"from 0 to 255, not -1"),
    ],
)
def test_what_cannot_be_images_and_labels_is_refused(changes, message):
    with pytest.raises(StudyError, match=message):
        idx_import.described(arrays(**changes))


def test_too_few_names_are_refused():
    with pytest.raises(StudyError, match="labels go up to 2, which takes 3 classes; named are 2"):
        idx_import.described(arrays(), ["a", "b"])


@pytest.mark.parametrize("kind", ["text", "pickle", "missing", "folder"])
def test_a_file_of_another_form_is_told_in_a_line(tmp_path, kind):
    path = tmp_path / "mine.npz"
    if kind == "text":
        path.write_text("x_train")
    elif kind == "pickle":
        np.savez(path, **arrays(y_test=np.array([{}], object)))
    elif kind == "missing":
        np.savez(path, x_train=np.zeros((1, 2, 2)))
    else:
        path.mkdir()
    done = program(path, "--output", tmp_path / "out", "--name", "Mine")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: {path}: ")
