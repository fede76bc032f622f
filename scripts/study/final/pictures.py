"""Reading pictures for a model: PNG and the like, and IDX files, plain or gzipped."""

import gzip
import io
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from study.data.pictures import COLOURS
from study.final.export import Description, border
from study.support.errors import StudyError

# What is grey or becomes so without a choice: 8 bits a channel, no transparency.
MODES = ("1", "L", "RGB")

GZIP = b"\x1f\x8b"
IDX_OF_IMAGES = b"\0\0\x08\x03"  # unsigned bytes in three dimensions
IDX_HEADER = 16  # bytes

# Pillow opens many more, some by programs of their own.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")

# Sizes are looked at before anything is unpacked: a few bytes can stand for very many.
MOST_BYTES = 500_000_000  # of an IDX file's images
MOST_PICTURE_BYTES = 50_000_000
MOST_PIXELS = 50_000_000


def read_pictures(
    path: Path, wanted: Description, invert: bool = False
) -> Iterator[tuple[str, np.ndarray]]:
    """Each image in a file, with a name for it: uint8 of the shape that the model takes.

    A picture of the same shape but another size is resized; `invert` makes dark light. Raises
    StudyError that says what is wrong with a file, and what to do.
    """
    content = _content(path, wanted)
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


def _content(path: Path, wanted: Description) -> bytes:
    """The content of a file, unpacked, as far as the sizes in it allow."""
    try:
        with path.open("rb") as raw:
            packed = raw.peek(2).startswith(GZIP)
            with gzip.GzipFile(fileobj=raw) if packed else raw as file:
                start = file.read(IDX_HEADER)
                if start.startswith(b"\0\0"):
                    # A byte more tells of a file that is longer than its header says.
                    most = _expected(path, start, wanted) + 1
                else:
                    most = MOST_PICTURE_BYTES + 1
                content = start + file.read(most - len(start))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise StudyError(f"{path}: is a damaged gzip file ({error})") from None
    if not start.startswith(b"\0\0") and len(content) > MOST_PICTURE_BYTES:
        raise StudyError(f"{path}: is larger than {MOST_PICTURE_BYTES:,} bytes, unpacked")
    return content


def _expected(path: Path, start: bytes, wanted: Description) -> int:
    """The length of an IDX file of the model's images, by its header."""
    if not start.startswith(IDX_OF_IMAGES) or len(start) < IDX_HEADER:
        raise StudyError(f"{path}: is an IDX file, but not one of 8-bit images")
    if wanted.channels is not None:
        raise StudyError(f"{path}: has grey images, where the model takes colour; give it pictures")
    count, *size = map(int, np.frombuffer(start, ">u4", 3, offset=4))
    if size != [wanted.height, wanted.width]:
        raise StudyError(
            f"{path}: has images of {size[0]} x {size[1]} pixels, where the model takes "
            f"{wanted.height} x {wanted.width}"
        )
    expected = IDX_HEADER + count * size[0] * size[1]
    if not count or expected > MOST_BYTES:
        text = f"holds {count:,} images, {expected:,} bytes"
        raise StudyError(f"{path}: {text}; give it from 1 image to {MOST_BYTES:,} bytes at a time")
    return expected


def _idx(path: Path, content: bytes, wanted: Description) -> np.ndarray:
    if len(content) != _expected(path, content[:IDX_HEADER], wanted):
        raise StudyError(f"{path}: is not as long as its header says")
    images = np.frombuffer(content, np.uint8, offset=IDX_HEADER)
    return images.reshape(-1, wanted.height, wanted.width)


def _picture(path: Path, content: bytes, wanted: Description) -> np.ndarray:
    picture = _loaded(path, content)
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
    known = {None: "L", COLOURS: "RGB"}
    if wanted.channels not in known:
        raise StudyError(f"{path}: no picture has the {wanted.channels} channels of the model")
    fitted = picture.convert(known[wanted.channels])
    if fitted.size != (wanted.width, wanted.height):
        fitted = fitted.resize((wanted.width, wanted.height), Image.Resampling.LANCZOS)
    pixels = np.asarray(fitted)
    return pixels if wanted.channels is None else np.moveaxis(pixels, 2, 0)


def _loaded(path: Path, content: bytes) -> Image.Image:
    """A picture, decoded once its size is known to be one that can be."""
    try:
        with warnings.catch_warnings():
            # Pillow tells of large pictures too, and of odd metadata, which are no matter.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    text = f"is {height} x {width} pixels; {MOST_PIXELS:,} are the most"
                    raise StudyError(f"{path}: {text}, make it smaller")
                if getattr(picture, "n_frames", 1) > 1:
                    raise StudyError(f"{path}: holds several pictures; save the one that is meant")
                picture.load()
                # A camera stores what it saw on its side, and how to turn it.
                return ImageOps.exif_transpose(picture)
    except (StudyError, MemoryError):
        raise
    except Image.DecompressionBombError:
        raise StudyError(f"{path}: has too many pixels; make it smaller") from None
    except UnidentifiedImageError:
        text = f"is neither a picture nor an IDX file; pictures are {', '.join(FORMATS)}"
        raise StudyError(f"{path}: {text}") from None
    except Exception as error:
        # Pillow's readers end with whatever a damaged file makes of them.
        raise StudyError(f"{path}: is a damaged picture ({error!s:.100})") from None
