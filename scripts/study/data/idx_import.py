"""A data set of a user's own: brought into MNIST's form, described, and what is odd about it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from study.data.idx import read_header
from study.support.errors import StudyError
from study.support.files import atomic_path

# The arrays of an .npz file, and the IDX file that each becomes.
FILES = {
    "x_train": ("train_images", "train-images-idx3-ubyte"),
    "y_train": ("train_labels", "train-labels-idx1-ubyte"),
    "x_test": ("test_images", "t10k-images-idx3-ubyte"),
    "y_test": ("test_labels", "t10k-labels-idx1-ubyte"),
}

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Described:
    """Arrays as IDX files hold them, the classes' names, and what a person should look at."""

    arrays: Arrays
    classes: list[str]
    warnings: list[str]

    @property
    def text(self) -> str:
        """How much of what there is."""
        train, test = self.arrays["x_train"], self.arrays["x_test"]
        height, width = train.shape[1:]
        return (
            f"{len(train)} training and {len(test)} test images of {height} x {width} pixels, "
            f"{len(self.classes)} classes"
        )


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """The four arrays of an .npz file."""
    try:
        with np.load(path, allow_pickle=False) as content:
            missing = [name for name in FILES if name not in content]
            if missing:
                raise StudyError(f"{path}: has no {' and no '.join(missing)}")
            return {name: content[name] for name in FILES}
    except (OSError, ValueError, AttributeError) as error:
        raise StudyError(f"{path}: is no .npz file of plain arrays ({error!s:.80})") from None


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """The four arrays of a folder's IDX files, which are told apart by their names."""
    arrays = {}
    for name, (role, usual) in FILES.items():
        part, what = role.split("_")
        parts = ("train",) if part == "train" else ("test", "t10k")
        found = [
            path
            for path in sorted(folder.iterdir())
            if path.is_file()
            and path.suffix != ".gz"
            and any(word in path.name for word in parts)
            and what.removesuffix("s") in path.name
        ]
        if len(found) != 1:
            told = ", ".join(path.name for path in found) or "none"
            raise StudyError(f"{folder}: one file such as {usual} is needed, found: {told}")
        shape = read_header(found[0])
        offset = 4 + 4 * len(shape)
        arrays[name] = np.fromfile(found[0], np.uint8, offset=offset).reshape(shape)
    return arrays


def described(arrays: Arrays, classes: Sequence[str] | None = None) -> Described:
    """The arrays as IDX files hold them; StudyError where they cannot be images and labels."""
    warnings: list[str] = []
    images = {name: _images(name, arrays[name], warnings) for name in ("x_train", "x_test")}
    labels = {name: _labels(name, arrays[name]) for name in ("y_train", "y_test")}
    if images["x_train"].shape[1:] != images["x_test"].shape[1:]:
        sizes = " and ".join(f"{x.shape[1]} x {x.shape[2]}" for x in images.values())
        raise StudyError(f"x_train and x_test: images of one size are needed, not {sizes}")
    for part in ("train", "test"):
        count, wanted = len(labels[f"y_{part}"]), len(images[f"x_{part}"])
        if count != wanted:
            raise StudyError(f"y_{part}: has {count} labels for {wanted} images")
    highest = max(int(part.max()) for part in labels.values())
    names = list(classes or map(str, range(highest + 1)))
    if len(names) <= max(highest, 1):
        raise StudyError(
            f"labels go up to {highest}, which takes {max(highest, 1) + 1} classes; named are "
            f"{len(names)}"
        )
    warnings += _unused(labels, names)
    warnings += _shared(images)
    return Described(images | labels, names, warnings)


def write(folder: Path, name: str, data: Described) -> Path:
    """Write the IDX files and dataset.yaml into `folder`; the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for key, (role, file_name) in FILES.items():
        array = data.arrays[key]
        content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
        content += array.tobytes()
        with atomic_path(folder / file_name) as temporary:
            temporary.write_bytes(content)
        files[role] = {"name": file_name, "sha256": hashlib.sha256(content).hexdigest()}
    path = folder / "dataset.yaml"
    with atomic_path(path) as temporary:
        YAML().dump({name: {"files": files, "classes": data.classes}}, temporary)
    return path


def _images(name: str, array: np.ndarray, warnings: list[str]) -> np.ndarray:
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3 or 0 in array.shape:
        raise StudyError(
            f"{name}: grey images (count, height, width) are needed, not {array.shape}"
        )
    if array.dtype == bool:
        return array.astype(np.uint8) * 255
    if not (np.issubdtype(array.dtype, np.number) and np.isrealobj(array)):
        raise StudyError(f"{name}: numbers are needed, not {array.dtype}")
    if not np.isfinite(array).all():
        raise StudyError(f"{name}: has pixels that are no numbers")
    low, high = array.min(), array.max()
    if low < 0 or high > 255:
        raise StudyError(
            f"{name}: pixels from 0 to 255 or fractions are needed, not {low} to {high}"
        )
    if np.issubdtype(array.dtype, np.floating) and high <= 1:
        return np.asarray(np.rint(array * 255), np.uint8)
    if high <= 1:
        warnings.append(
            f"{name}: no pixel is brighter than {high} of 255, which is black to the network; "
            "multiply by 255 what was a fraction or a mark"
        )
    rounded = np.asarray(np.rint(array), np.uint8)
    if (rounded != array).any():
        warnings.append(f"{name}: pixels are no whole numbers, and were rounded")
    return rounded


def _labels(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.number):
        raise StudyError(
            f"{name}: one number for each image is needed, not {array.dtype} {array.shape}"
        )
    low, high = array.min(initial=0), array.max(initial=0)
    if low < 0 or high > 255 or (array != np.rint(array)).any():
        raise StudyError(f"{name}: labels are whole numbers from 0 to 255, not {low} to {high}")
    return array.astype(np.uint8)


def _unused(labels: Arrays, names: Sequence[str]) -> list[str]:
    counts = {part: np.bincount(array, minlength=len(names)) for part, array in labels.items()}
    found = [
        f"{part}: no image is of class {label} ({names[label]})"
        for part, count in counts.items()
        for label in np.flatnonzero(count == 0).tolist()
    ]
    if all(count[0] == 0 for count in counts.values()):
        found.append("labels seem to begin at 1: subtract 1, or class 0 stays without an image")
    return found


def _shared(images: Arrays) -> list[str]:
    learned = {image.tobytes() for image in images["x_train"]}
    count = sum(image.tobytes() in learned for image in images["x_test"])
    if not count:
        return []
    return [f"x_test: {count} of {len(images['x_test'])} images are among the training images too"]
