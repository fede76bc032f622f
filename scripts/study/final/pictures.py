"""Reading pictures for a model: PNG and the like, and IDX files, plain or gzipped."""

import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from study.final.export import Description, border
from study.support.errors import StudyError

# What is grey or becomes so without a choice: 8 bits a channel, no transparency.
MODES = ("1", "L", "RGB")

GZIP = b"\x1f\x8b"
IDX_OF_IMAGES = b"\0\0\x08\x03"  # unsigned bytes in three dimensions


def read(path: Path, wanted: Description, invert: bool = False) -> Iterator[tuple[str, np.ndarray]]:
    """Each image in a file, with a name for it: (height, width) uint8 as the model takes it.

    A picture of the same shape but another size is resized; `invert` makes dark light. Raises
    StudyError that says what is wrong with a file, and what to do.
    """
    try:
        content = path.read_bytes()
        if content.startswith(GZIP):
            content = gzip.decompress(content)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise StudyError(f"{path}: is a damaged gzip file ({error})") from None
    if content.startswith(b"\0\0"):
        images = _idx(path, content, wanted)
        names = [f"{path}[{index}]" for index in range(len(images))]
    else:
        images, names = _picture(path, content, wanted)[None], [str(path)]
    yield from zip(names, 255 - images if invert else images, strict=True)


def looks_inverted(image: np.ndarray, wanted: Description) -> bool:
    """Whether the picture's edge is nearer to the opposite of what the model knows."""
    tone = border(image[None]).mean()
    return abs(255 - tone - wanted.border) < abs(tone - wanted.border)


def _idx(path: Path, content: bytes, wanted: Description) -> np.ndarray:
    if not content.startswith(IDX_OF_IMAGES) or len(content) < 16:
        raise StudyError(f"{path}: is an IDX file, but not one of 8-bit images")
    count, *size = map(int, np.frombuffer(content, ">u4", 3, offset=4))
    if size != [wanted.height, wanted.width]:
        raise StudyError(
            f"{path}: has images of {size[0]} x {size[1]} pixels, where the model takes "
            f"{wanted.height} x {wanted.width}"
        )
    if len(content) != 16 + count * size[0] * size[1]:
        raise StudyError(f"{path}: is not as long as its header says")
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, *size)


def _picture(path: Path, content: bytes, wanted: Description) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
    except UnidentifiedImageError:
        raise StudyError(f"{path}: is neither a picture nor an IDX file") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise StudyError(f"{path}: is a damaged picture ({error})") from None
    if picture.mode not in MODES or "transparency" in picture.info:
        raise StudyError(
            f"{path}: has pixels of mode {picture.mode}; save it with 8-bit grey or RGB pixels, "
            "without transparency"
        )
    width, height = picture.size
    if width * wanted.height != height * wanted.width:
        raise StudyError(
            f"{path}: is {height} x {width} pixels (height x width), which is another shape than "
            f"the {wanted.height} x {wanted.width} that the model takes; crop it or fill it up"
        )
    grey = picture.convert("L")
    if grey.size != (wanted.width, wanted.height):
        grey = grey.resize((wanted.width, wanted.height), Image.Resampling.LANCZOS)
    return np.asarray(grey)
