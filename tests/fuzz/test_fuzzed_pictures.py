"""Pictures and IDX files that nobody would give: classified, or told."""

import gzip
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fuzzing import INPUTS, damaged, in_time, told
from mnistlike import idx_bytes
from networks import SIDE, made_up_model, random_images
from study.final import pictures
from study.support.errors import StudyError

WANTED = made_up_model().description


def saved(form, **options):
    """The bytes of a picture of a format."""
    content = io.BytesIO()
    Image.fromarray(random_images(1)[0]).save(content, form, **options)
    return content.getvalue()


WHOLE = {form: saved(form) for form in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")}
WHOLE |= {
    "deflated TIFF": saved("TIFF", compression="tiff_adobe_deflate"),
    "IDX": idx_bytes(random_images(3)),
    "gzip": gzip.compress(idx_bytes(random_images(3)), mtime=0),
    "packed PNG": gzip.compress(saved("PNG"), mtime=0),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("pictures") / "file"


def read(path, content):
    """The images of a file of this content, of the right form; none where the fault was told."""
    path.write_bytes(content)
    with in_time():
        try:
            found = list(pictures.read_pictures(path, WANTED))
        except StudyError as error:
            told(error, str(path))
            return []
    assert found
    for _, image in found:
        assert image.shape == (SIDE, SIDE)
        assert image.dtype == np.uint8
    return found


# Pixels of a GIF are colours of a palette, which is told.
@pytest.mark.parametrize("form", sorted(WHOLE.keys() - {"GIF"}))
def test_what_is_whole_is_read(path, form):
    assert read(path, WHOLE[form])


@INPUTS
@given(data=st.data(), form=st.sampled_from(sorted(WHOLE)))
def test_any_damaged_picture_is_read_or_told(path, data, form):
    read(path, data.draw(damaged(WHOLE[form])))


@INPUTS
@given(st.binary(max_size=60), st.sampled_from([b"", *(whole[:12] for whole in WHOLE.values())]))
def test_any_bytes_are_read_or_told(path, content, start):
    read(path, start + content)


def png(width, height):
    """The header of a PNG that says it is so large, and nothing else."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = (header, b"IDAT" + zlib.compress(b""), b"IEND")
    chunks = b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


def complaint(path, content):
    path.write_bytes(content)
    with in_time(), pytest.raises(StudyError) as caught:
        list(pictures.read_pictures(path, WANTED))
    return told(caught.value, str(path))


@pytest.mark.parametrize("side", [7072, 12_000, 60_000])
def test_a_picture_of_many_pixels_is_refused_by_its_header(path, side):
    assert "make it smaller" in complaint(path, png(side, side))


def test_a_gzip_is_unpacked_as_far_as_its_header_says(path, monkeypatch):
    header = struct.pack(">2xBB3I", 8, 3, 2, SIDE, SIDE)
    assert "not as long as its header" in complaint(path, gzip.compress(header + bytes(100_000)))
    monkeypatch.setattr(pictures, "MOST_PICTURE_BYTES", 1000)
    assert "larger than 1,000 bytes" in complaint(path, gzip.compress(b"x" * 5000))
    many = struct.pack(">2xBB3I", 8, 3, 2**32 - 1, SIDE, SIDE)
    assert "4,294,967,295 images" in complaint(path, gzip.compress(many))
    none = struct.pack(">2xBB3I", 8, 3, 0, SIDE, SIDE)
    assert "holds 0 images" in complaint(path, none)


@pytest.mark.parametrize("form", ["GIF", "TIFF", "PNG", "WEBP"])
def test_a_file_of_several_pictures_is_told(path, form):
    frames = [Image.fromarray(image) for image in random_images(3)]
    content = io.BytesIO()
    frames[0].save(content, form, save_all=True, append_images=frames[1:])
    assert "holds several pictures" in complaint(path, content.getvalue())


def test_other_formats_are_not_opened(path):
    content = io.BytesIO()
    Image.new("L", (16, 16)).save(content, "SGI")
    assert "pictures are PNG, JPEG" in complaint(path, content.getvalue())
