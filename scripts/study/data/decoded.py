"""Data of any form, decoded once into arrays that all processes map."""

import functools
import hashlib
import json
import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from study.data.base import (
    Classes,
    DamagedFileError,
    Data,
    Dataset,
    Examples,
    Part,
    Quantities,
    Targets,
    Tell,
)
from study.support.errors import StudyError
from study.support.files import atomic_path, sha256, write_text

# What is in a data set's folder: the arrays, and what only they could tell.
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
FILES = tuple(f"{name}.npy" for name in ARRAYS)
DESCRIPTION = "dataset.json"

# Part of every digest: another number where the code here decodes the same files otherwise.
FORMAT = 1

# A test part, where the data bring none and the config says nothing of it.
TEST = {"size": 0.2, "seed": 0}


@dataclass(frozen=True, eq=False)
class Content:
    """What a form reads of its files.

    `fitted` is JSON that says how a new example becomes the network's input; `notes` are what a
    person should know, a line each.
    """

    train: Examples
    test: Examples
    targets: Targets
    fitted: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Decoded(Dataset):
    """A data set that is decoded once into FILES; `options` is what the config says of it.

    Each form is a subclass. `form` is the key that names it in `options`, `keys` are the others
    that it takes, and `required` those that it needs.
    """

    form: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ()
    required: ClassVar[tuple[str, ...]] = ()

    name: str
    described_in: Path
    options: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """The file or folder that the config names."""
        return Path(str(self.options[self.form])).expanduser()

    @classmethod
    def named(cls, options: Mapping[str, Any]) -> str:
        """What the data set is called: as its file or folder, as far as a folder's name can be."""
        path = Path(str(options[cls.form])).expanduser().resolve()
        name = re.sub(r"[^A-Za-z0-9._-]", "_", path.stem).lstrip("._-")
        return name or cls.form

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Raise StudyError where an option is of no use, as far as that is known without data."""

    @property
    def targets(self) -> Targets | None:
        """Known once the data are decoded."""
        return None

    @property
    def task(self) -> str:
        """As the config says, or else as the targets plainly are."""
        return str(self.options.get("task") or self.plain_task())

    def plain_task(self) -> str:
        """What the targets plainly are, where the config does not say it."""
        return "classification"

    @property
    def digest(self) -> str:
        """Stands for the content of the files that the config names, and how they are read."""
        options = {key: value for key, value in self.options.items() if key != self.form}
        said = [FORMAT, self.form, options, self.content_digest()]
        return _short_digest(said, 12)

    @property
    def description(self) -> str:
        """Stands for the content and the name."""
        return _short_digest([self.name, self.digest], 16)

    @property
    def file_names(self) -> list[str]:
        """The four arrays, and what only they could tell."""
        return [*FILES, DESCRIPTION]

    def content_digest(self) -> str:
        """Stands for the content of the named file."""
        if not self.path.is_file():
            raise StudyError(f"data.dataset.{self.form}: {self.path}: no such file")
        return digest_of(self.path)

    @abstractmethod
    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """Decode the data; StudyError, naming the file, where that cannot be done."""

    def sums(self, folder: Path) -> dict[str, str]:
        """The checksums of the arrays, as they were decoded."""
        own = hashlib.sha256((folder / DESCRIPTION).read_bytes()).hexdigest()
        return {**_described(folder)["files"], DESCRIPTION: own}

    def verify(self, folder: Path) -> None:
        """Check that `folder` holds what was decoded of these very files, unaltered."""
        for name in self.file_names:
            if not (folder / name).is_file():
                raise DamagedFileError(folder / name, "is missing", "run again to fetch it")
        described = _described(folder)
        if described["digest"] != self.digest:
            text = "is of other data, or read otherwise, than the config now says"
            raise DamagedFileError(folder / DESCRIPTION, text, "run again to decode it")
        for name, sum_ in described["files"].items():
            actual = sha256(folder / name)
            if actual != sum_:
                text = f"has SHA-256 {actual[:12]}..., not {sum_[:12]}..."
                raise DamagedFileError(folder / name, text)

    def fill(self, folder: Path, sources: Sequence[str], tell: Tell) -> None:
        """Decode the data into `folder`."""
        content = self.read(sources, tell)
        arrays = dict(
            zip(
                FILES,
                (content.train.x, content.train.y, content.test.x, content.test.y),
                strict=True,
            )
        )
        for name, array in arrays.items():
            with atomic_path(folder / name) as temporary, temporary.open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        described = {
            "form": self.form,
            "digest": self.digest,
            "targets": vars(content.targets)
            | {"kind": "classes" if isinstance(content.targets, Classes) else "quantities"},
            "fitted": content.fitted,
            "notes": content.notes,
            "files": {name: sha256(folder / name) for name in FILES},
        }
        write_text(folder / DESCRIPTION, _sealed(described))
        tell(f"{self.name}: {in_words(content)}; decoded into {folder}")

    def load(self, folder: Path) -> Data:
        """The arrays as they were decoded."""
        described = _described(Path(folder))
        targets = {key: value for key, value in described["targets"].items() if key != "kind"}
        kind = Classes if described["targets"]["kind"] == "classes" else Quantities

        def part(part: Part) -> Examples:
            x, y = (Path(folder) / f"{what}_{part}.npy" for what in "xy")
            return Examples(np.load(x, mmap_mode="c"), np.load(y, mmap_mode="r"))

        return Data(self, kind(**targets), part, described["notes"], described["fitted"])


def in_words(content: Content) -> str:
    """How much of what there is."""
    shape = " x ".join(map(str, content.train.x.shape[1:]))
    text = f"{len(content.train)} training and {len(content.test)} test examples of {shape}"
    if isinstance(content.targets, Quantities):
        return f"{text}, to predict {', '.join(content.targets.names)}"
    counts = np.bincount(content.train.y, minlength=len(content.targets))
    most = f"{counts.min()} to {counts.max()}" if counts.min() < counts.max() else counts[0]
    return f"{text}, {len(counts)} classes with {most} training examples each"


@functools.lru_cache(maxsize=4096)
def _digest_of(path: Path, size: int, changed: int) -> str:
    return sha256(path)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, read once as long as it does not change."""
    found = path.stat()
    return _digest_of(path.resolve(), found.st_size, found.st_mtime_ns)


def _short_digest(said: Any, length: int) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:length]


def _sealed(described: Mapping[str, Any]) -> str:
    """The text of DESCRIPTION, with its own checksum in the last line."""
    text = json.dumps(described, indent=1, ensure_ascii=False)
    return f'{text[:-2]},\n "sha256": "{hashlib.sha256(text.encode()).hexdigest()}"\n}}\n'


def _described(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    try:
        text = path.read_text(encoding="utf-8")
        described: dict[str, Any] = json.loads(text)
        del described["sha256"]
        is_right = _sealed(described) == text
    except FileNotFoundError:
        raise DamagedFileError(path, "is missing", "run again to decode the data") from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        is_right = False
    if not is_right:
        raise DamagedFileError(path, "is not what was written")
    return described
