"""Folders of pictures, arrays, functions and torchvision's data sets: their own cases."""

import bz2
import hashlib
import json
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from data_forms import FORMS
from mnistlike import idx_bytes
from study.data import datasets
from study.data.base import Quantities
from study.data.datasets import as_word, describe, from_word, named
from study.support.errors import StudyError

RANDOM = np.random.default_rng(0)


def fetched(options, folder, sources=()):
    dataset = describe(options)
    dataset.fetch(folder / "there", list(sources), print)
    return dataset.load(folder / "there")


# What the config says


def test_a_form_goes_through_a_command_line():
    options = {"table": "my wine.csv", "target": "quality"}
    assert from_word(as_word(options)) == options
    assert from_word(as_word("FashionMNIST")) == "FashionMNIST"
    data = {"dataset": options, "task": "regression", "sources": ["x"]}
    assert named(data) == options | {"task": "regression"}
    with pytest.raises(StudyError, match="data.task: FashionMNIST brings its own"):
        named({"dataset": "FashionMNIST", "task": "regression"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tabel": "x"}, "one of torchvision, images, table, arrays, python is needed, not tabel"),
        ({"table": "x", "arrays": "y"}, "not table and arrays"),
        ({"table": "x"}, "table needs 'target'"),
        ({"torchvision": "CIFAR"}, "'CIFAR' is none of .*; did you mean 'CIFAR1"),
        ({"torchvision": "EMNIST"}, "EMNIST has balanced, byclass"),
        ({"torchvision": "MNIST", "split": "x"}, "MNIST has no splits"),
        ({"images": "x", "size": [32]}, r"must be \[height, width\]"),
        ({"images": "x", "size": [0, 5]}, r"must be \[height, width\]"),
        ({"arrays": 3}, "must be text, is 3"),
        ({"python": "x", "examples": "image"}, "must be images or numbers.*did you mean 'images'"),
    ],
)
def test_what_names_no_data_is_told_by_its_key(options, message):
    with pytest.raises(StudyError, match=rf"^data\.dataset.*{message}"):
        describe(options)


def test_describing_imports_neither_torch_nor_pandas(tmp_path):
    """The plan describes the data in every process."""
    made = [form(tmp_path / name)[0] for name, form in FORMS.items()]
    code = (
        "import sys, json; from study.data.datasets import describe\n"
        "for options in json.load(sys.stdin): describe(options).digest\n"
        "sys.exit(bool({'torch', 'pandas', 'sklearn'} & sys.modules.keys()))"
    )
    scripts = os.path.dirname(os.path.dirname(os.path.dirname(datasets.__file__)))
    subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(made),
        env=os.environ | {"PYTHONPATH": scripts},
        text=True,
        check=True,
    )


# Pictures


def picture(path, *shape, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RANDOM.integers(0, 256, shape, np.uint8)).save(path, **options)


def test_train_and_test_folders_are_the_parts(tmp_path):
    for part, count in (("train", 3), ("test", 2)):
        for name in ("cat", "dog"):
            for number in range(count):
                picture(tmp_path / "photos" / part / name / f"{number}.png", 4, 4, 3)
    data = fetched({"images": str(tmp_path / "photos"), "size": [4, 4]}, tmp_path)
    assert data.inputs == (3, 4, 4)
    assert data.train.y.tolist() == [0, 0, 0, 1, 1, 1]
    first = np.asarray(Image.open(tmp_path / "photos" / "train" / "cat" / "0.png"))
    assert (data.train.x[0] == np.moveaxis(first, 2, 0)).all()
    assert data.targets.names == ["cat", "dog"]


def test_a_picture_is_turned_as_its_exif_says(tmp_path):
    options, _ = FORMS["images"](tmp_path / "photos")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned to the right by a quarter
    picture(tmp_path / "photos" / "cat" / "0.png", 5, 6, exif=exif)
    raw = np.asarray(Image.open(tmp_path / "photos" / "cat" / "0.png"))
    data = fetched(options, tmp_path)
    turned = np.rot90(raw, -1)
    assert any((x[0] == turned).all() for part in (data.train, data.test) for x in part.x)
    assert any("2 sizes" in note or "3 sizes" in note for note in data.notes)


def test_pictures_of_16_bits_are_scaled_and_told(tmp_path):
    options, _ = FORMS["images"](tmp_path / "photos")
    deep = np.full((6, 5), 65_535, np.uint16)
    Image.fromarray(deep).save(tmp_path / "photos" / "dog" / "0.png")
    data = fetched(options, tmp_path)
    assert any((x == 255).all() for part in (data.train, data.test) for x in part.x)
    assert any("more than 8 bits" in note for note in data.notes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "cat" / "0.png").write_text("hello"), "0.png: is no picture"),
        (
            lambda folder: os.truncate(folder / "cat" / "0.png", 80),
            "0.png: is a damaged picture|0.png: is no picture",
        ),
        (lambda folder: (folder / "dog").rename(folder / "cat" / "dog"), "has 1 folders"),
        (lambda folder: (folder / "empty").mkdir(), "empty: holds no picture"),
    ],
)
def test_a_folder_that_holds_no_classes_of_pictures_is_told(tmp_path, spoil, message):
    options, _ = FORMS["images"](tmp_path / "photos")
    spoil(tmp_path / "photos")
    with pytest.raises(StudyError, match=message):
        fetched(options, tmp_path)
    assert not (tmp_path / "there" / "x_train.npy").exists()


# Arrays


def npz(folder, **changed):
    arrays = {
        "x_train": RANDOM.normal(size=(20, 3)),
        "y_train": np.arange(20) % 2,
        "x_test": RANDOM.normal(size=(10, 3)),
        "y_test": np.arange(10) % 2,
    }
    kept = {name: array for name, array in (arrays | changed).items() if array is not None}
    np.savez(folder / "made.npz", **kept)
    return {"arrays": str(folder / "made.npz")}


def test_floats_stay_as_they_are(tmp_path):
    x = RANDOM.normal(size=(20, 3))
    data = fetched(npz(tmp_path, x_train=x), tmp_path)
    assert (data.train.x == x.astype(np.float32)).all()


def test_images_have_their_channels_first_and_pixels_of_more_bits_are_scaled(tmp_path):
    x = RANDOM.integers(0, 65_536, (20, 5, 4, 3)).astype(np.uint16)
    data = fetched(npz(tmp_path, x_train=x, x_test=x[:10]), tmp_path)
    assert data.inputs == (3, 5, 4)
    assert np.allclose(data.train.x, np.moveaxis(x / 32_767.5 - 1, 3, 1), atol=1e-4)
    assert any("pixels of 16 bits" in note for note in data.notes)
    assert any("10 of 10 test examples" in note for note in data.notes)


def test_the_training_part_alone_says_how_pixels_are_scaled(tmp_path):
    """A test part that is darker by chance was made lighter than the training part before."""
    train, test = np.zeros((4, 2, 2)), np.full((4, 2, 2), 0.25)
    train[0] = 1.0
    labels = [0, 1, 0, 1]
    np.savez(tmp_path / "a.npz", x_train=train, y_train=labels, x_test=test, y_test=labels)
    data = fetched({"arrays": str(tmp_path / "a.npz")}, tmp_path)
    assert data.fitted["scaling"] == [2, 1]
    assert (data.test.x == -0.5).all()


@pytest.mark.parametrize(("shape", "is_images"), [((4, 3), False), ((4, 3, 3), True)])
def test_whether_arrays_are_images_is_known_before_they_are_fetched(tmp_path, shape, is_images):
    np.savez(tmp_path / "a.npz", x_train=np.zeros(shape), y_train=[0, 1, 0, 1])
    assert describe({"arrays": str(tmp_path / "a.npz")}).is_images == is_images
    (tmp_path / "a.npz").write_text("text")
    assert not describe({"arrays": str(tmp_path / "a.npz")}).is_images


def test_the_config_says_whether_a_function_gives_images():
    assert not describe({"python": "x.py"}).is_images
    assert describe({"python": "x.py", "examples": "images"}).is_images


def test_labels_that_begin_at_1_are_told_and_kept_as_names(tmp_path):
    y = np.arange(20) % 3 + 1
    data = fetched(npz(tmp_path, y_train=y, y_test=y[:10]), tmp_path)
    assert data.targets.names == ["1", "2", "3"]
    assert data.train.y.tolist() == (y - 1).tolist()
    assert any("labels begin at 1" in note for note in data.notes)


def test_without_a_test_part_one_is_split_off(tmp_path):
    options = npz(tmp_path, x_test=None, y_test=None) | {"test": {"size": 0.5, "seed": 1}}
    data = fetched(options, tmp_path)
    assert (len(data.train), len(data.test)) == (10, 10)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_train": None}, "has no y_train"),
        ({"y_test": None}, "has no y_test"),
        ({"y_train": np.arange(19)}, "y_train: has 19 targets for 20 examples"),
        ({"x_train": np.full((20, 3), np.nan)}, "60 numbers are missing"),
        ({"x_train": np.zeros((20, 3), "U3")}, "holds <U3, where numbers"),
        ({"x_train": np.zeros((20, 4))}, "differ in shape"),
        ({"x_train": np.array([{}] * 20)}, "is no .npz file of plain arrays"),
        ({"y_train": np.zeros(20), "y_test": np.zeros(10)}, "has the one value"),
    ],
)
def test_arrays_that_do_not_fit_are_told(tmp_path, changed, message):
    with pytest.raises(StudyError, match=message):
        fetched(npz(tmp_path, **changed), tmp_path)


# A person's own function


def own(folder, text):
    (folder / "my_data.py").write_text(text)
    return {"python": str(folder / "my_data.py")}


LOADER = (
    "import numpy as np\n"
    "def load():\n"
    "    print('loading')\n"
    "    return {'x_train': np.eye(20), 'y_train': np.arange(20) + 0.5}\n"
)


def test_what_the_function_prints_is_no_output(tmp_path, capsys):
    data = fetched(own(tmp_path, LOADER), tmp_path)
    assert isinstance(data.targets, Quantities)
    assert "loading" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "has no function load"),
        ("def load(:\n", "my_data.py, line 1: SyntaxError"),
        ("import nowhere\n", "my_data.py, line 1: ModuleNotFoundError: No module named 'nowhere'"),
        ("def load():\n    return 1 / 0\n", "my_data.py, line 2: ZeroDivisionError"),
        ("def load():\n    raise SystemExit('no')\n", "line 2: SystemExit: no"),
        ("def load():\n    return 3\n", "load.. must return x_train, .*, not int"),
    ],
)
def test_a_function_that_gives_no_data_is_told_by_its_line(tmp_path, text, message):
    with pytest.raises(StudyError, match=message):
        fetched(own(tmp_path, text), tmp_path)


# torchvision's data sets, in files of their true form


def mnist(root, name):
    raw = root / name / "raw"
    raw.mkdir(parents=True)
    pixels = RANDOM.integers(0, 256, (20, 28, 28), np.uint8)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(np.arange(20) % 10))
    return pixels[:, None]


@pytest.mark.parametrize("name", ["MNIST", "KMNIST", "FashionMNIST"])
def test_sets_in_the_form_of_mnist(tmp_path, name):
    pixels = mnist(tmp_path, name)
    data = fetched({"torchvision": name}, tmp_path, [tmp_path])
    assert (data.train.x == pixels).all()
    assert data.test.y.tolist() == [*range(10)] * 2
    assert len(data.targets) == 10


def test_emnist_lies_on_its_side_in_its_files(tmp_path):
    options, sources = FORMS["torchvision"](tmp_path / "root")
    path = tmp_path / "root" / "EMNIST" / "raw" / "emnist-letters-train-images-idx3-ubyte"
    raw = np.frombuffer(path.read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28)
    data = fetched(options, tmp_path, sources)
    assert (data.train.x[:, 0] == raw.swapaxes(1, 2)).all()
    assert data.targets.names[0] in ("a", "A")
    assert data.train.y[0] == 0


def test_qmnist_has_eight_labels_each_of_which_the_first_is_the_digit(tmp_path):
    raw = tmp_path / "QMNIST" / "raw"
    raw.mkdir(parents=True)
    pixels = RANDOM.integers(0, 256, (20, 28, 28), np.uint8)
    labels = np.zeros((20, 8), np.int32)
    labels[:, 0] = np.arange(20) % 10
    # SN3 of 32-bit integers: type 0x0c.
    head = bytes([0, 0, 0x0C, 2]) + np.array(labels.shape, ">u4").tobytes()
    for part in ("train", "test"):
        (raw / f"qmnist-{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels))
        (raw / f"qmnist-{part}-labels-idx2-int").write_bytes(head + labels.astype(">i4").tobytes())
    data = fetched({"torchvision": "QMNIST"}, tmp_path, [tmp_path])
    assert (data.train.x[:, 0] == pixels).all()
    assert data.train.y.tolist() == [*range(10)] * 2


@pytest.mark.parametrize(("name", "key"), [("CIFAR10", "labels"), ("CIFAR100", "fine_labels")])
def test_cifar_is_in_colour(tmp_path, monkeypatch, name, key):
    import torchvision.datasets

    kind = getattr(torchvision.datasets, name)
    folder = tmp_path / kind.base_folder
    folder.mkdir()
    count = 10 if name == "CIFAR10" else 100
    rows = RANDOM.integers(0, 256, (count, 3072), np.uint8)

    def write(file, content):
        (folder / file).write_bytes(pickle.dumps(content))
        return file, hashlib.md5((folder / file).read_bytes()).hexdigest()

    batch = {"data": rows, key: list(range(count))}
    train = [list(write(file, batch)) for file, _ in kind.train_list]
    test = [list(write(file, batch)) for file, _ in kind.test_list]
    names = [f"c{i}" for i in range(count)]
    file, md5 = write(kind.meta["filename"], {kind.meta["key"]: names})
    monkeypatch.setattr(kind, "train_list", train)
    monkeypatch.setattr(kind, "test_list", test)
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": md5})
    data = fetched({"torchvision": name}, tmp_path, [tmp_path])
    assert data.inputs == (3, 32, 32)
    assert (data.test.x == rows.reshape(-1, 3, 32, 32)).all()
    assert data.targets.names == names


def test_svhn_is_in_colour_and_its_label_10_is_the_digit_0(tmp_path, monkeypatch):
    import torchvision.datasets

    kind = torchvision.datasets.SVHN
    pixels = RANDOM.integers(0, 256, (32, 32, 3, 10), np.uint8)
    listed = {}
    for part in ("train", "test"):
        url, file, _ = kind.split_list[part]
        savemat(tmp_path / file, {"X": pixels, "y": np.arange(1, 11)[:, None]})
        listed[part] = [url, file, hashlib.md5((tmp_path / file).read_bytes()).hexdigest()]
    monkeypatch.setattr(kind, "split_list", listed)
    data = fetched({"torchvision": "SVHN"}, tmp_path, [tmp_path])
    assert (data.train.x == pixels.transpose(3, 2, 0, 1)).all()
    assert data.train.y.tolist() == [*range(1, 10), 0]


def test_usps_has_images_of_16_pixels(tmp_path, monkeypatch):
    import torchvision.datasets

    kind = torchvision.datasets.USPS
    listed = {}
    for part in ("train", "test"):
        url, file, _ = kind.split_list[part]
        lines = [
            f"{label + 1} " + " ".join(f"{i + 1}:{(i % 3) - 1}" for i in range(256))
            for label in range(10)
        ]
        (tmp_path / file).write_bytes(bz2.compress("\n".join(lines).encode()))
        listed[part] = [url, file, hashlib.md5((tmp_path / file).read_bytes()).hexdigest()]
    monkeypatch.setattr(kind, "split_list", listed)
    data = fetched({"torchvision": "USPS"}, tmp_path, [tmp_path])
    assert data.inputs == (1, 16, 16)
    assert data.train.y.tolist() == list(range(10))


def test_what_no_source_has_is_told_in_few_lines(tmp_path):
    with pytest.raises(StudyError, match="no source has torchvision's KMNIST") as error:
        fetched({"torchvision": "KMNIST"}, tmp_path, [tmp_path / "nowhere", "debian"])
    assert "Name a folder" in str(error.value)
    assert len(str(error.value).splitlines()) == 3
