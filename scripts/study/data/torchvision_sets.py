"""Data sets that torchvision knows by name."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from study.data.base import Classes, Examples, Tell
from study.data.decoded import Content, Decoded
from study.support.errors import StudyError
from study.support.strict_yaml import suggestion

NAMES = (
    *("MNIST", "KMNIST", "FashionMNIST", "EMNIST", "QMNIST", "USPS"),
    *("CIFAR10", "CIFAR100", "SVHN"),
)

SPLITS = ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")


@dataclass(frozen=True)
class TorchvisionDataset(Decoded):
    """`{torchvision: NAME}`; EMNIST needs its `split`, too.

    Of the config's sources, a folder is taken for a root that torchvision has filled before, and
    `torchvision` downloads.
    """

    form: ClassVar[str] = "torchvision"
    keys: ClassVar[tuple[str, ...]] = ("split",)

    @classmethod
    def named(cls, options: Mapping[str, Any]) -> str:
        """As torchvision calls it, with the split."""
        return "-".join(str(options[key]) for key in ("torchvision", "split") if key in options)

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """A name that is known here, and a split where the data set has several."""
        name, split = options["torchvision"], options.get("split")
        if name not in NAMES:
            raise StudyError(
                f"data.dataset.torchvision: {name!r} is none of {', '.join(NAMES)}"
                f"{suggestion(name, NAMES)}"
            )
        if name == "EMNIST" and split not in SPLITS:
            raise StudyError(
                f"data.dataset.split: EMNIST has {', '.join(SPLITS)}; {split!r} is none of these"
            )
        if name != "EMNIST" and split is not None:
            raise StudyError(f"data.dataset.split: {name} has no splits")
        for key in ("test", "task"):
            if key in options:
                raise StudyError(f"data.{key}: {name} brings its own")

    def content_digest(self) -> str:
        """Empty: a name stands for files whose checksums torchvision has."""
        return ""

    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """The arrays that torchvision reads, from the first source that has them."""
        from study.data import preparing

        failures = []
        for source in sources:
            if source == "debian":
                continue
            try:
                with tempfile.TemporaryDirectory() as temporary:
                    is_download = source == "torchvision"
                    root = Path(temporary) if is_download else Path(source).expanduser()
                    train = self._part(root, True, is_download)
                    test = self._part(root, False, is_download)
            except StudyError:
                raise
            except Exception as error:
                # Whatever its readers and the network make of it.
                said = str(error).strip().splitlines() or [type(error).__name__]
                failures.append(f"{source}: {said[0]:.100}")
                tell(f"{self.name}: not from {failures[-1]}")
                continue
            targets = Classes(train[1], f"torchvision's {self.name}")
            notes = preparing.oddities(train[0], test[0], targets)
            return Content(train[0], test[0], targets, {}, notes)
        raise StudyError(
            "\n  ".join([f"no source has torchvision's {self.name}:", *failures])
            + "\nName a folder that torchvision has filled under data.sources."
        )

    def _part(self, root: Path, is_train: bool, download: bool) -> tuple[Examples, list[str]]:
        import torchvision.datasets

        name = self.options["torchvision"]
        kind = getattr(torchvision.datasets, name)
        which: dict[str, Any] = {"train": is_train}
        if name == "SVHN":
            which = {"split": "train" if is_train else "test"}
        elif name == "EMNIST":
            which["split"] = self.options["split"]
        found = kind(root, download=download, **which)
        x = np.asarray(found.data)
        y = np.asarray(found.labels if name == "SVHN" else found.targets).astype(np.int64)
        names = list(getattr(found, "classes", map(str, range(10))))
        if name == "QMNIST":
            y = y[:, 0]  # the others tell who wrote the digit
        if name == "EMNIST":
            x = x.swapaxes(1, 2)  # its files hold images lying on their side
            if names[0] == "N/A":  # the letters are counted from 1
                names, y = names[1:], y - 1
        if x.ndim == 3:
            x = x[:, None]
        elif name != "SVHN":
            x = np.moveaxis(x, 3, 1)
        return Examples(np.ascontiguousarray(x, np.uint8), y), names
