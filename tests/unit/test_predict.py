"""predict.py reads what people have, and says what is wrong with what it cannot read."""

import gzip
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from mnistlike import idx_bytes
from networks import SIDE, made_up_model, random_images
from study.commands import door, predict
from study.final import export
from study.runs import fingerprint


@pytest.fixture
def exported(tmp_path):
    folder = tmp_path / "model"
    export.write(folder / export.FILE, made_up_model())
    return folder


@pytest.fixture
def program(exported, tmp_path, monkeypatch, capsys):
    """Run predict.py on files in the temporary folder; give its output and its messages."""

    def run(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["predict.py", "--model", str(exported), *words])
        door.enter(predict)
        return capsys.readouterr()

    return run


def told(output):
    lines = [json.loads(line) for line in output.out.splitlines()]
    return [line["image"] for line in lines], [
        list(line["probabilities"].values()) for line in lines
    ]


def test_pictures_and_idx_files_of_the_same_images_agree(program, tmp_path):
    pixels = random_images(3)
    (tmp_path / "plain-idx3-ubyte").write_bytes(idx_bytes(pixels))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx_bytes(pixels)))
    for index, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{index}.png")
    Image.fromarray(pixels[0]).convert("RGB").save(tmp_path / "colour.png")
    expected = made_up_model().probabilities(pixels)
    for name in ("plain-idx3-ubyte", "packed.gz"):
        names, found = told(program("--json", name))
        assert names == [f"{name}[{index}]" for index in range(3)]
        assert np.allclose(found, expected, atol=1e-6)
    names, found = told(program("--json", "0.png", "1.png", "2.png", "colour.png"))
    assert names == ["0.png", "1.png", "2.png", "colour.png"]
    assert np.allclose(found, expected[[0, 1, 2, 0]], atol=1e-6)


def test_the_table_names_classes(program, tmp_path):
    Image.fromarray(random_images(1)[0]).save(tmp_path / "0.png")
    [expected] = made_up_model().probabilities(random_images(1))
    heading, _, row = program("0.png").out.splitlines()
    assert heading.split() == ["image", "class", "probability"]
    assert row.split() == [
        "0.png",
        made_up_model().description.classes[expected.argmax()],
        f"{expected.max():.4f}",
    ]


def test_a_larger_picture_is_resized(program, tmp_path):
    flat = np.full((SIDE, SIDE), 40, np.uint8)
    Image.fromarray(flat.repeat(5, 0).repeat(5, 1)).save(tmp_path / "large.png")
    _, found = told(program("--json", "large.png"))
    assert np.allclose(found, made_up_model().probabilities(flat[None]), atol=1e-6)


def test_a_picture_is_turned_as_its_camera_says(program, tmp_path):
    """Stored on its side, as cameras do; upright it is another class."""
    [upright] = random_images(1)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees clockwise to see it
    Image.fromarray(np.rot90(upright).copy()).save(tmp_path / "turned.png", exif=exif)
    _, found = told(program("--json", "turned.png"))
    assert np.allclose(found, made_up_model().probabilities(upright[None]), atol=1e-6)


def test_an_inverted_picture_is_asked_about_and_inverted_on_demand(program, tmp_path):
    light = np.full((SIDE, SIDE), 250, np.uint8)
    Image.fromarray(light).save(tmp_path / "light.png")
    said = program("--json", "light.png")
    assert "light.png: its edge is dark" not in said.err
    assert "light.png: its edge is light" in said.err
    assert "--invert" in said.err
    said = program("--json", "--invert", "light.png")
    assert said.err == ""
    assert np.allclose(told(said)[1], made_up_model().probabilities(255 - light[None]), atol=1e-6)


def picture(size, mode="L"):
    return lambda path: Image.new(mode, size).save(path, "PNG")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (picture((SIDE, SIDE + 2)), r"is 8 x 6 pixels \(height x width\).*6 x 6.*crop it"),
        (picture((SIDE, SIDE), "RGBA"), "mode RGBA; save it with 8-bit grey or RGB"),
        (picture((SIDE, SIDE), "I;16"), "mode I;16"),
        (
            lambda path: path.write_bytes(idx_bytes(np.zeros((2, 5, SIDE)))),
            "images of 5 x 6 pixels",
        ),
        (lambda path: path.write_bytes(idx_bytes(np.zeros(9))), "not one of 8-bit images"),
        (
            lambda path: path.write_bytes(idx_bytes(random_images(2))[:-1]),
            "not as long as its header says",
        ),
        (lambda path: path.write_bytes(gzip.compress(b"a" * 99)[:-9]), "is a damaged gzip file"),
        (lambda path: path.write_text("text"), "is neither a picture nor an IDX file"),
        (lambda path: None, "No such file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(program, tmp_path, write, message):
    write(tmp_path / "file")
    with pytest.raises(SystemExit, match=rf"error: file: .*{message}"):
        program("file")


def test_a_damaged_picture_is_named(program, tmp_path):
    Image.fromarray(random_images(1)[0]).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:60])
    with pytest.raises(SystemExit, match=r"half\.png: is (a damaged|neither a) picture"):
        program("half.png")


def test_a_model_without_networks_says_so(program, exported, tmp_path):
    export.write(exported / export.FILE, made_up_model(seeds=()))
    Image.fromarray(random_images(1)[0]).save(tmp_path / "0.png")
    with pytest.raises(SystemExit, match="has no network, since every seed diverged"):
        program("0.png")


def test_torch_is_not_needed():
    """Nor ONNX: whoever has the folder and the scripts needs NumPy, SciPy and Pillow."""
    code = (
        "import sys; from study.commands import predict;"
        "print({'torch', 'onnx', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=fingerprint.LIBRARY.parent,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "set()", done.stderr
