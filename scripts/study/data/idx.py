"""Grey images in four IDX files, as MNIST has them: their description, check and mapping."""

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator, ValidationError

from study.data.base import Classes, DamagedFileError, Data, Dataset, Examples, Part, Tell
from study.support.errors import StudyError
from study.support.strict_yaml import read_yaml, suggestion

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
class IdxDataset(Dataset):
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

    @property
    def targets(self) -> Classes:
        """The classes that the description names; labels are smaller than their number."""
        return Classes(self.class_names, f"{self.described_in}: {self.name}.classes")

    @property
    def digest(self) -> str:
        """Stands for the four files, by their checksums."""
        sums = "\n".join(self.files[role].sha256 for role in _ROLES)
        return hashlib.sha256(sums.encode()).hexdigest()[:12]

    @property
    def description(self) -> str:
        """Stands for the whole entry."""
        said = {key: value for key, value in vars(self).items() if key != "described_in"}
        content = json.dumps(said, default=vars, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def file_names(self) -> list[str]:
        """The four decompressed files."""
        return [file.name for file in self.files.values()]

    def sums(self, folder: Path) -> dict[str, str]:
        """The checksums of the description, whatever lies in the folder."""
        return {file.name: file.sha256 for file in self.files.values()}

    def verify(self, folder: Path) -> None:
        """Check that `folder` holds the four files, whole, unaltered and fitting each other."""
        folder = Path(folder)
        paths = {role: folder / file.name for role, file in self.files.items()}
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
            if actual != self.files[role].sha256:
                expected = self.files[role].sha256
                raise DamagedFileError(
                    path, f"has SHA-256 {actual[:12]}..., not {expected[:12]}..."
                )

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
            highest = int(_labels(path).max())
            if highest >= len(self.targets):
                raise DamagedFileError(
                    path, f"has a label {highest}, where {len(self.targets)} classes are described"
                )

    def fill(self, folder: Path, sources: Sequence[str], tell: Tell) -> None:
        """Take the files from the first source that has them: see study.data.sources."""
        # Imported when data are fetched, and not with every plan.
        from study.data.sources import fetch_from_first

        fetch_from_first(self, sources, folder, tell)

    def load(self, folder: Path) -> Data:
        """Images (n, 1, height, width) and labels, uint8."""
        return Data(self, self.targets, lambda part: self._examples(Path(folder), part))

    def _examples(self, folder: Path, part: Part) -> Examples:
        images, labels = (
            folder / self.files[f"{part}_{what}"].name for what in ("images", "labels")
        )
        count, height, width = read_header(images)
        return Examples(
            np.memmap(images, np.uint8, mode="c", offset=16, shape=(count, 1, height, width)),
            _labels(labels),
        )


def read_description(path: Path) -> IdxDataset:
    """The only data set that the YAML file describes; StudyError, naming the key, for a fault."""
    found = entries(path)
    if len(found) != 1:
        raise StudyError(
            f"{path}: describes {len(found)} data sets ({', '.join(map(str, found))}), where "
            "one is expected"
        )
    [(name, entry)] = found.items()
    return parse(path, name, entry)


def entries(path: Path) -> dict[Any, Any]:
    """The data sets that a YAML file describes, by name, as they stand there."""
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise StudyError(f"{path}: expected the name of a data set with its description under it")
    return content


def parse(path: Path, name: Any, entry: Any) -> IdxDataset:
    """The data set that an entry of the file describes; StudyError, naming the key, for a fault."""
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
    class_names: list[str] | dict[str, list[str]]
    if isinstance(classes, list):
        class_names = [str(label) for label in classes]
    else:
        class_names = {code: [str(label) for label in labels] for code, labels in classes.items()}
        if len(set(map(len, class_names.values()))) > 1:
            raise StudyError(f"{path}: {name}.classes: the languages' lists differ in length")

    for names in [class_names] if isinstance(class_names, list) else class_names.values():
        if len(set(names)) < len(names):
            raise StudyError(f"{path}: {name}.classes: two are called alike, as 1 and '1' are")

    return IdxDataset(
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


def _labels(path: Path) -> np.ndarray:
    """The labels in a file, uint8 of shape (images,), mapped and read-only."""
    return np.memmap(path, np.uint8, mode="r", offset=8, shape=read_header(path))
