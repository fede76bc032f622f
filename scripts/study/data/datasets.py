"""Data sets: what they are made of, whether their files are right, and their pixels in memory."""

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jsonschema import Draft202012Validator, ValidationError

from study.support.errors import StudyError
from study.support.resources import resource
from study.support.strict_yaml import read_yaml, suggestion

REGISTRY = resource("resources/datasets.yaml")

# Beside the files of a data set, once they are verified.
CHECKSUMS = "checksums.sha256"

Part = Literal["train", "test"]

# The IDX type code of unsigned bytes; two zero bytes go before it, the number of dimensions after.
_UINT8 = 8

_ROLES = ("train_images", "train_labels", "test_images", "test_labels")

_SAFE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z"


# No control character and no half of one: what a terminal, a figure and a file can hold.
_PRINTABLE = r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]*\Z"


def _text(description: str, pattern: str = ".") -> dict[str, Any]:
    return {"type": "string", "pattern": pattern, "description": description}


def _mapping(
    description: str, required: dict[str, Any], optional: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _class_names(type_: str | list[str], description: str) -> dict[str, Any]:
    return {
        "type": type_,
        "description": description,
        "items": {
            "type": ["string", "integer"],
            "pattern": _PRINTABLE,
            "description": "a class name",
        },
        "minItems": 2,
        "maxItems": 256,
        "uniqueItems": True,
    }


# The JSON schema of an entry. A description completes the sentence "<key> must be ...".
_FILE = _mapping(
    "a name and a sha256",
    {
        "name": _text("a file name of letters, digits, '.', '_' and '-'", _SAFE_NAME),
        "sha256": _text(
            "the SHA-256 of the decompressed file, 64 hexadecimal digits", r"^[0-9a-fA-F]{64}\Z"
        ),
    },
)
_ENTRY = _mapping(
    "a mapping with the keys files and classes",
    {
        "files": _mapping(f"the files {', '.join(_ROLES)}", dict.fromkeys(_ROLES, _FILE)),
        "classes": _class_names(
            ["array", "object"],
            "a list of 2 to 256 different class names, or one for each language",
        )
        | {
            "minProperties": 1,
            "propertyNames": _text("a language code such as en", r"^[a-z]{2,3}(_\w+)?\Z"),
            "additionalProperties": _class_names(
                "array", "a list of 2 to 256 different class names"
            ),
        },
    },
    {
        "torchvision": _text("the name of a class in torchvision.datasets"),
        "debian": _mapping(
            "a package and the folder that it fills",
            {
                "package": _text("the name of a Debian package", r"^[a-z0-9][a-z0-9.+-]+\Z"),
                "folder": _text("a folder in the package, without a leading '/'", r"^[^/]"),
            },
        ),
        "source": _text("a text"),
        "licence": _text("a text"),
    },
)


class DamagedFileError(StudyError):
    """A data file that is not what its data set's description says."""

    def __init__(self, path: Path, problem: str, remedy: str = "remove it and run again"):
        super().__init__(f"{path}: {problem}; {remedy}")
        self.summary = f"{path.name}: {problem}"


@dataclass(frozen=True)
class DataFile:
    """The name and the SHA-256 (64 hexadecimal digits) of one decompressed IDX file."""

    name: str
    sha256: str


@dataclass(frozen=True)
class DebianPackage:
    """A package and the folder, relative to the root, that it puts the data files into."""

    package: str
    folder: str


@dataclass(frozen=True)
class Dataset:
    """One entry of resources/datasets.yaml, or of a user's own file of that form.

    `files` has the keys train_images, train_labels, test_images and test_labels.
    """

    name: str
    described_in: Path
    files: dict[str, DataFile]
    class_names: list[str] | dict[str, list[str]]
    torchvision: str | None = None
    debian: DebianPackage | None = None
    source: str | None = None
    licence: str | None = None

    def classes(self, language_code: str) -> list[str]:
        """The names of the classes, label 0 first; a StudyError where the language has none."""
        if isinstance(self.class_names, list):
            return self.class_names
        if language_code not in self.class_names:
            raise StudyError(
                f"{self.described_in}: {self.name}.classes has no names for language "
                f"{language_code!r}, only for {', '.join(self.class_names)}; add them, or give one "
                "list for all languages"
            )
        return self.class_names[language_code]

    @property
    def class_count(self) -> int:
        """How many classes there are; labels are smaller than this."""
        if isinstance(self.class_names, list):
            return len(self.class_names)
        return len(next(iter(self.class_names.values())))

    @property
    def digest(self) -> str:
        """12 hexadecimal digits that stand for the content of the four files."""
        sums = "\n".join(self.files[role].sha256 for role in _ROLES)
        return hashlib.sha256(sums.encode()).hexdigest()[:12]

    @property
    def checksums(self) -> str:
        """The content of checksums.sha256: a line for each file, as `sha256sum` writes it."""
        return "".join(f"{file.sha256}  {file.name}\n" for file in self.files.values())

    @property
    def description(self) -> str:
        """16 hexadecimal digits that stand for all that is said of the data set, wherever."""
        said = {key: value for key, value in vars(self).items() if key != "described_in"}
        content = json.dumps(said, default=vars, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def describe(name_or_path: str | Path) -> Dataset:
    """The data set of that name, or the only one that the user's YAML file at that path describes.

    Raises StudyError, naming file and key, for an unknown name and for a faulty description.
    """
    known = _entries(REGISTRY)
    if name_or_path in known:
        return _parse(REGISTRY, str(name_or_path), known[name_or_path])
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
    entries = _entries(path)
    if len(entries) != 1:
        raise StudyError(
            f"{path}: describes {len(entries)} data sets ({', '.join(map(str, entries))}), where "
            "one is expected"
        )
    [(name, entry)] = entries.items()
    return _parse(path, name, entry)


def _entries(path: Path) -> dict[Any, Any]:
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise StudyError(f"{path}: expected the name of a data set with its description under it")
    return content


def _parse(path: Path, name: Any, entry: Any) -> Dataset:
    if not (isinstance(name, str) and re.match(_SAFE_NAME, name)):
        raise StudyError(
            f"{path}: {name!r} must be a name of letters, digits, '.', '_' and '-': it becomes a "
            "folder's name"
        )
    error = next(Draft202012Validator(_ENTRY).iter_errors(entry), None)
    if error:
        key = ".".join(map(str, [name, *error.absolute_path]))
        raise StudyError(f"{path}: {key}: {_complaint(error)}")

    files = {
        role: DataFile(entry["files"][role]["name"], entry["files"][role]["sha256"].lower())
        for role in _ROLES
    }
    if len({file.name for file in files.values()}) < len(files):
        raise StudyError(f"{path}: {name}.files: the four names must differ")

    classes = entry["classes"]
    if isinstance(classes, list):
        class_names = [str(label) for label in classes]
    else:
        class_names = {code: [str(label) for label in labels] for code, labels in classes.items()}
        if len(set(map(len, class_names.values()))) > 1:
            raise StudyError(f"{path}: {name}.classes: the languages' lists differ in length")

    for names in [class_names] if isinstance(class_names, list) else class_names.values():
        if len(set(names)) < len(names):
            raise StudyError(f"{path}: {name}.classes: two are called alike, as 1 and '1' are")

    return Dataset(
        name=name,
        described_in=path,
        files=files,
        class_names=class_names,
        torchvision=entry.get("torchvision"),
        debian=DebianPackage(**entry["debian"]) if "debian" in entry else None,
        source=entry.get("source"),
        licence=entry.get("licence"),
    )


def _complaint(error: ValidationError) -> str:
    match error.validator:
        case "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            return f"{' and '.join(missing)} missing"
        case "additionalProperties":
            known = error.schema["properties"]
            unknown = next(key for key in error.instance if key not in known)
            return f"unknown key {unknown!r}{suggestion(unknown, known)}"
        case _:
            value = repr(error.instance)
            shown = value if len(value) <= 40 else f"{value[:40]}..."
            return f"must be {error.schema['description']}, not {shown}"


def read_header(path: str | Path) -> tuple[int, ...]:
    """The shape of the array in an IDX file of unsigned bytes.

    Raises DamagedFileError where the file is none, or its length is not what its header says.
    """
    path = Path(path)
    with path.open("rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0":
            raise DamagedFileError(path, "is no IDX file")
        if start[2] != _UINT8:
            raise DamagedFileError(path, f"has the IDX type 0x{start[2]:02x}, not 0x08 (uint8)")
        sizes = file.read(4 * start[3])
    if len(sizes) < 4 * start[3]:
        raise DamagedFileError(path, "ends within its header")
    shape = tuple(int(size) for size in np.frombuffer(sizes, dtype=">u4"))
    expected = 4 + len(sizes) + math.prod(shape)
    actual = path.stat().st_size
    if actual != expected:
        raise DamagedFileError(path, f"has {actual} bytes, where its header asks for {expected}")
    return shape


def verify(dataset: Dataset, folder: str | Path) -> None:
    """Check that `folder` holds the four files of the data set, whole and unaltered.

    Raises DamagedFileError for the first file that is not as described.
    """
    paths = {role: Path(folder) / file.name for role, file in dataset.files.items()}
    shapes = {}
    for role, path in paths.items():
        if not path.is_file():
            raise DamagedFileError(path, "is missing", remedy="run again to fetch it")
        shapes[role] = read_header(path)
        dimensions = 3 if role.endswith("images") else 1
        if len(shapes[role]) != dimensions or 0 in shapes[role]:
            raise DamagedFileError(
                path, f"has the shape {shapes[role]}, where {dimensions} dimensions are needed"
            )
        with path.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        if actual != dataset.files[role].sha256:
            expected = dataset.files[role].sha256
            raise DamagedFileError(path, f"has SHA-256 {actual[:12]}..., not {expected[:12]}...")

    if shapes["train_images"][1:] != shapes["test_images"][1:]:
        raise DamagedFileError(
            paths["test_images"], "has images of another size than the training images"
        )
    for part in ("train", "test"):
        path = paths[f"{part}_labels"]
        count = shapes[f"{part}_images"][0]
        if shapes[f"{part}_labels"][0] != count:
            raise DamagedFileError(
                path, f"has {shapes[f'{part}_labels'][0]} labels for {count} images"
            )
        highest = int(map_labels(dataset, folder, part).max())
        if highest >= dataset.class_count:
            raise DamagedFileError(
                path, f"has a label {highest}, where {dataset.class_count} classes are described"
            )


def image_size(dataset: Dataset, folder: str | Path) -> tuple[int, int]:
    """Height and width of the images."""
    _, height, width = read_header(Path(folder) / dataset.files["train_images"].name)
    return height, width


def map_images(dataset: Dataset, folder: str | Path, part: Part) -> np.memmap:
    """The pixels of a part, uint8 of shape (images, height * width), mapped.

    All processes that map the same file share one copy in memory. The map is copy-on-write, since
    torch wants writable memory: nothing written to it reaches the file.
    """
    path = Path(folder) / dataset.files[f"{part}_images"].name
    count, height, width = read_header(path)
    return np.memmap(path, np.uint8, mode="c", offset=16, shape=(count, height * width))


def map_labels(dataset: Dataset, folder: str | Path, part: Part) -> np.memmap:
    """The labels of a part, uint8 of shape (images,), mapped and read-only."""
    path = Path(folder) / dataset.files[f"{part}_labels"].name
    return np.memmap(path, np.uint8, mode="r", offset=8, shape=read_header(path))
