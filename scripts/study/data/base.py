"""The seam for data: what every data set is asked for, whatever form it comes in.

A `Dataset` is what the config says of the data: planning knows it without reading the data or
importing torch. `Data` is what the files hold once they are fetched.
"""

import contextlib
import fcntl
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from study.support.errors import StudyError
from study.support.files import write_text

# Beside the files of a data set, once they are verified.
CHECKSUMS = "checksums.sha256"

# The data set of the reference study.
REFERENCE = "FashionMNIST"

Part = Literal["train", "test"]

Tell = Callable[[str], None]


class DamagedFileError(StudyError):
    """A data file that is not what its data set's description says."""

    def __init__(self, path: Path, problem: str, remedy: str = "remove it and run again"):
        super().__init__(f"{path}: {problem}; {remedy}")
        self.summary = f"{path.name}: {problem}"


@dataclass(frozen=True)
class Classes:
    """The targets of classification: the classes' names, label 0 first.

    `names` is one list for all languages, or one for each; `described_in` is the place that a
    message names where a language has none.
    """

    names: list[str] | dict[str, list[str]]
    described_in: str

    def __len__(self) -> int:
        names = self.names
        return len(names if isinstance(names, list) else next(iter(names.values())))

    def in_language(self, code: str) -> list[str]:
        """The names in a language; a StudyError where it has none."""
        if isinstance(self.names, list):
            return self.names
        if code not in self.names:
            raise StudyError(
                f"{self.described_in} has no names for language {code!r}, only for "
                f"{', '.join(self.names)}; add them, or give one list for all languages"
            )
        return self.names[code]


@dataclass(frozen=True)
class Quantities:
    """The targets of regression: each one's name, and its unit or ''."""

    names: list[str]
    units: list[str]

    def __len__(self) -> int:
        return len(self.names)


Targets = Classes | Quantities


@dataclass(frozen=True, eq=False)
class Examples:
    """A part of the data, mapped from files, so that all processes share one copy in memory.

    `x` is (n, *inputs): uint8 for pixels from 0 to 255, float32 for numbers that are used as they
    are. The map is copy-on-write, since torch wants writable memory: nothing written to it reaches
    the file. `y` is read-only: labels (n,) for classes, or float32 (n, targets).
    """

    x: np.ndarray
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Data:
    """What the files of a data set hold. Each part is mapped when it is first asked for.

    `notes` are what a person should know of them, a line each; `fitted` is JSON that says how a new
    example becomes the network's input, where that was learned from the training part.
    """

    dataset: "Dataset"
    targets: Targets
    part: Callable[[Part], Examples]
    notes: Sequence[str] = ()
    fitted: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def train(self) -> Examples:
        """The training part."""
        return self.part("train")

    @cached_property
    def test(self) -> Examples:
        """The official test part."""
        return self.part("test")

    @property
    def task(self) -> str:
        """What is learned of them, `classification` or `regression`."""
        return "classification" if isinstance(self.targets, Classes) else "regression"

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of one example; (channels, height, width) of an image."""
        return self.train.x.shape[1:]


class Dataset(ABC):
    """A data set as it is described, in one form; each form is a subclass in a module of its own.

    `name` names the folder in results/data/ and stands for the data in a run's name;
    `described_in` is the file that describes it. `source`, `licence` and `citation` are texts for
    the report. `targets` is None where only the fetched data tell.
    """

    name: str
    described_in: Path
    source: str | None = None
    licence: str | None = None
    citation: str | None = None

    @property
    @abstractmethod
    def targets(self) -> Targets | None:
        """Classes or quantities, as far as they are described."""

    @property
    def is_images(self) -> bool:
        """Whether its examples are shown as images, which planning knows without reading them."""
        return True

    @property
    def shows_classes(self) -> bool:
        """Whether its classes can be shown as images."""
        return self.is_images and self.task == "classification"

    @property
    def plural(self) -> str:
        """What messages call its examples."""
        return "images" if self.is_images else "examples"

    @property
    def noun(self) -> str:
        """What reports call its examples: a key of resources/languages/*/nouns.yaml, or garments.

        The catalogues were written for the reference study's garments.
        """
        return "garments" if self.name == REFERENCE else self.plural

    @property
    def task(self) -> str:
        """What is learned, `classification` or `regression`: planning knows it without the data."""
        return "classification"

    @property
    def outputs(self) -> int | None:
        """How many classes or quantities are described; None where only the fetched data tell."""
        return len(self.targets) if self.targets else None

    @property
    @abstractmethod
    def digest(self) -> str:
        """12 hexadecimal digits that stand for the content of the data, for fingerprints."""

    @property
    @abstractmethod
    def description(self) -> str:
        """16 hexadecimal digits that stand for all that is said of the data, names too."""

    @property
    @abstractmethod
    def file_names(self) -> list[str]:
        """The files in the data set's folder, beside their checksums."""

    @abstractmethod
    def sums(self, folder: Path) -> Mapping[str, str]:
        """The SHA-256 that each file must have, by its name."""

    @abstractmethod
    def verify(self, folder: Path) -> None:
        """Raise DamagedFileError for the first file in `folder` that is not as it must be."""

    @abstractmethod
    def fill(self, folder: Path, sources: Sequence[str], tell: Tell) -> None:
        """Bring verified files into `folder`; StudyError where they cannot be had."""

    @abstractmethod
    def load(self, folder: Path) -> Data:
        """The data in `folder`, whose files are right."""

    def checksums(self, folder: Path) -> str:
        """The content of checksums.sha256: a line for each file, as `sha256sum` writes it."""
        return "".join(f"{sha256}  {name}\n" for name, sha256 in self.sums(folder).items())

    def fetch(
        self,
        folder: Path,
        sources: Sequence[str],
        tell: Tell,
        check: Callable[[Path], Any] = lambda _: None,
    ) -> None:
        """Fill `folder` with the data set's verified files and their checksums.

        `sources` are those of the config, in order. Files that are there and right are kept.
        Several processes may call this at once: one fetches, the others wait. `tell` gets a line
        for each thing worth knowing. `check` is called with the folder once the files are there,
        and may raise StudyError. Raises StudyError where the files cannot be had or written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with _only_process_in(folder, tell):
            if self._is_complete(folder, tell):
                tell(f"{self.name}: already in {folder}, verified")
            else:
                self.fill(folder, sources, tell)
            # Training waits for the checksums.
            check(folder)
            sums, path = self.checksums(folder), folder / CHECKSUMS
            if not path.is_file() or path.read_bytes() != sums.encode():
                write_text(path, sums)

    def _is_complete(self, folder: Path, tell: Tell) -> bool:
        if not any((folder / name).exists() for name in self.file_names):
            return False
        try:
            self.verify(folder)
        except DamagedFileError as error:
            tell(f"{folder}/{error.summary}; fetching again")
            return False
        return True


@contextlib.contextmanager
def _only_process_in(folder: Path, tell: Tell) -> Iterator[None]:
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell(f"{folder}: another process is fetching into it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
