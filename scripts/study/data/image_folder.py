"""Pictures in folders: one for each class, or train/ and test/ that hold these."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from study.data.base import Classes, Examples, Tell
from study.data.decoded import TEST, Content, Decoded, digest_of
from study.support.errors import StudyError

# Pillow opens many more, some by programs of their own.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")

MOST_PIXELS = 100_000_000


@dataclass(frozen=True)
class ImagesDataset(Decoded):
    """`{images: folder, size: [height, width]}`; grey where all pictures are, else colour."""

    form: ClassVar[str] = "images"
    keys: ClassVar[tuple[str, ...]] = ("size",)
    required: ClassVar[tuple[str, ...]] = ("size",)

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """The size must be two whole numbers."""
        size = options["size"]
        is_size = isinstance(size, list) and len(size) == 2
        if not (is_size and all(type(side) is int and 0 < side <= 1024 for side in size)):
            raise StudyError(
                f"data.dataset.size: must be [height, width] in pixels, up to 1024, is {size!r}"
            )

    def content_digest(self) -> str:
        """Stands for the names and the content of all pictures."""
        folders = self._folders()
        found = [path for parts in folders.values() for paths in parts.values() for path in paths]
        return str([(str(path.relative_to(self.path)), digest_of(path)) for path in found])

    def _folders(self) -> dict[str, dict[str, list[Path]]]:
        """Part -> class -> its pictures; the part is '' where there is one."""
        if not self.path.is_dir():
            raise StudyError(f"data.dataset.images: {self.path}: no such folder")
        inside = {path.name for path in _visible(self.path) if path.is_dir()}
        parts = {"train": "train", "test": "test"} if {"train", "test"} <= inside else {"": "."}
        found = {}
        for part, folder in parts.items():
            classes = [path for path in _visible(self.path / folder) if path.is_dir()]
            if len(classes) < 2:
                raise StudyError(
                    f"{self.path / folder}: has {len(classes)} folders of pictures, where one for "
                    "each of 2 classes or more is needed"
                )
            found[part] = {path.name: _visible(path) for path in classes}
            for name, paths in found[part].items():
                if not paths:
                    raise StudyError(f"{self.path / folder / name}: holds no picture")
        if len(found) == 2 and found["test"].keys() - found["train"].keys():
            extra = sorted(found["test"].keys() - found["train"].keys())[0]
            raise StudyError(f"{self.path / 'test' / extra}: is a class that train/ has not")
        return found

    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """Pictures turned as their EXIF says, fitted into `size` and cut off evenly."""
        from study.data import preparing

        size = self.options["size"]
        found = self._folders()
        if len(found) == 2 and "test" in self.options:
            raise StudyError(f"data.test: {self.path} brings its own test part")
        names = sorted(next(iter(found.values())))
        sizes: dict[tuple[int, int], int] = {}
        deep: list[Path] = []
        pictures, labels, of_part = [], [], []
        for part, classes in found.items():
            for name, paths in sorted(classes.items()):
                for path in paths:
                    picture = _picture(path)
                    sizes[picture.size] = sizes.get(picture.size, 0) + 1
                    if picture.mode.startswith(("I", "F")):
                        deep.append(path)
                    pictures.append(_fitted(picture, size[0], size[1]))
                    labels.append(names.index(name))
                    of_part.append(part)
        is_grey = all(picture.ndim == 2 for picture in pictures)
        x = np.stack([_channels(picture, 1 if is_grey else 3) for picture in pictures])
        y = np.array(labels, np.int64)
        fitted: dict[str, Any] = {"size": list(size), "grey": is_grey}
        if len(found) == 2:
            train, test = (np.flatnonzero(np.array(of_part) == part) for part in ("train", "test"))
        else:
            wanted = TEST | self.options.get("test", {})
            train, test = preparing.parts(y, wanted, True, str(self.path))
            fitted["test"] = wanted
        learned, tested = Examples(x[train], y[train]), Examples(x[test], y[test])
        targets = Classes(names, str(self.path))
        notes = preparing.oddities(learned, tested, targets)
        if len(sizes) > 1:
            notes.append(
                f"pictures are of {len(sizes)} sizes; all are fitted into {size[0]} x {size[1]}"
            )
        if deep:
            notes.append(f"{len(deep)} pictures have more than 8 bits; they are scaled to 8")
        return Content(learned, tested, targets, fitted, notes)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _picture(path: Path) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow tells of large pictures too, and of odd metadata, which are no matter.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise StudyError(f"{path}: has more than {MOST_PIXELS:,} pixels")
                picture.load()
                # A camera stores what it saw on its side, and how to turn it.
                return ImageOps.exif_transpose(picture)
    except (StudyError, MemoryError):
        raise
    except UnidentifiedImageError:
        raise StudyError(f"{path}: is no picture; pictures are {', '.join(FORMATS)}") from None
    except Exception as error:
        # Pillow's readers end with whatever a damaged file makes of them.
        raise StudyError(f"{path}: is a damaged picture ({error!s:.100})") from None


def _fitted(picture: Image.Image, height: int, width: int) -> np.ndarray:
    """(height, width) uint8 of a grey picture, else (height, width, 3)."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        most = 65_535 if values.max() > 255 else 255
        picture = Image.fromarray((values.clip(0, most) * (255 / most)).astype(np.uint8))
    elif picture.mode not in ("1", "L", "RGB"):
        is_grey = picture.mode == "LA"
        picture = picture.convert("L" if is_grey else "RGB")
    picture = picture.convert("L") if picture.mode == "1" else picture
    if picture.size != (width, height):
        picture = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _channels(picture: np.ndarray, channels: int) -> np.ndarray:
    """(channels, height, width) of one."""
    if picture.ndim == 2:
        return np.repeat(picture[None], channels, axis=0)
    return np.moveaxis(picture, 2, 0)
