"""What is trained on is what the description pins, and a faulty description is told by its key."""

import copy
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mnistlike import idx_bytes, write_dataset
from study.data import datasets
from study.data.base import DamagedFileError
from study.data.datasets import describe
from study.data.idx import read_header
from study.support.errors import StudyError

SCRIPTS = Path(datasets.__file__).parents[2]

FILE = {"name": "images", "sha256": "0" * 64}
ENTRY = {
    "files": {
        "train_images": {"name": "a", "sha256": "a" * 64},
        "train_labels": {"name": "b", "sha256": "b" * 64},
        "test_images": {"name": "c", "sha256": "c" * 64},
        "test_labels": {"name": "d", "sha256": "D" * 64},
    },
    "classes": {"en": ["cat", "dog"], "es": ["gato", "perro"]},
}


def write_yaml(path, content):
    YAML().dump(content, path)
    return path


def write_files(folder, **arrays):
    """IDX files of these arrays with a description that pins them as they are."""
    folder.mkdir(exist_ok=True)
    files = {}
    for role, array in arrays.items():
        content = idx_bytes(np.asarray(array))
        (folder / role).write_bytes(content)
        files[role] = {"name": role, "sha256": hashlib.sha256(content).hexdigest()}
    entry = {"files": files, "classes": ["zero", "one"]}
    return describe(write_yaml(folder / "made.yaml", {"Made": entry}))


def small_arrays(**changed):
    arrays = {
        "train_images": np.arange(4 * 2 * 3).reshape(4, 2, 3),
        "train_labels": [0, 1, 1, 0],
        "test_images": np.arange(2 * 2 * 3).reshape(2, 2, 3),
        "test_labels": [1, 0],
    }
    return arrays | changed


# Descriptions


def test_fashion_mnist_is_described_in_both_languages():
    dataset = describe("FashionMNIST")
    assert {len(dataset.targets.in_language(code)) for code in ("en", "es")} == {10}
    assert len(dataset.targets) == 10
    assert dataset.targets.in_language("en")[9] == "Ankle boot"
    assert dataset.licence.startswith("MIT")


def test_the_digest_of_fashion_mnist_is_pinned():
    """The digest is in every fingerprint: another one retrains every study there is."""
    assert describe("FashionMNIST").digest == "697249e9d1e8"


def test_torchvision_still_lists_the_files_that_are_described():
    """The mirrors are read off torchvision's class, which another version may have changed."""
    import torchvision.datasets

    dataset = describe("FashionMNIST")
    published = getattr(torchvision.datasets, dataset.torchvision)
    names = {name.removesuffix(".gz") for name, _ in published.resources}
    assert published.mirrors
    assert names == {file.name for file in dataset.files.values()}


def test_a_users_own_file_describes_a_data_set(tmp_path):
    dataset = describe(write_yaml(tmp_path / "own.yaml", {"Own": ENTRY}))
    assert dataset.name == "Own"
    assert dataset.targets.in_language("es") == ["gato", "perro"]
    assert dataset.files["test_labels"].sha256 == "d" * 64
    assert (dataset.torchvision, dataset.debian, dataset.source) == (None, None, None)


def test_one_list_of_classes_serves_all_languages(tmp_path):
    dataset = describe(write_yaml(tmp_path / "own.yaml", {"Own": ENTRY | {"classes": [0, 1, 2]}}))
    assert dataset.targets.in_language("es") == dataset.targets.in_language("en") == ["0", "1", "2"]
    assert len(dataset.targets) == 3


def test_a_language_without_class_names_is_told(tmp_path):
    dataset = describe(write_yaml(tmp_path / "own.yaml", {"Own": ENTRY}))
    with pytest.raises(StudyError, match=r"own\.yaml: Own\.classes .* 'fr', only for en, es"):
        dataset.targets.in_language("fr")


def test_an_unknown_name_gets_the_known_ones_and_a_suggestion():
    with pytest.raises(StudyError, match=r"FashonMNIST.* did you mean 'FashionMNIST'\?"):
        describe("FashonMNIST")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (["class"], [], r"Own: unknown key 'class'; did you mean 'classes'\?"),
        (["classes"], None, "Own: classes missing"),
        (["classes"], "cat", r"Own\.classes: must be a list of 2 to 256 .*, not 'cat'"),
        (["classes"], ["cat"], r"Own\.classes: must be a list of 2 to 256"),
        (["classes"], ["cat", "cat"], r"Own\.classes: must be .* different class names"),
        (["classes"], {}, r"Own\.classes: must be"),
        (["classes"], {1: ["a", "b"]}, r"Own\.classes: must be a language code .*, not 1"),
        (["classes", "en"], ["cat", 1.5], r"Own\.classes\.en\.1: must be a class name, not 1\.5"),
        (["classes", "en"], ["cat", *list("abcd")], r"Own\.classes: the languages' lists differ"),
        (["files", "test_images"], None, r"Own\.files: test_images missing"),
        (["files", "valid_images"], FILE, r"Own\.files: unknown key 'valid_images'"),
        (["files", "train_images", "sha256"], "abc", "sha256: must be the SHA-256 .*, not 'abc'"),
        (["files", "train_images", "sha256"], "a" * 65, "64 hexadecimal digits"),
        (["files", "train_images", "sha256"], 12, "64 hexadecimal digits, not 12"),
        (["files", "train_images", "sha256"], None, "train_images: sha256 missing"),
        (["files", "train_images", "name"], "../x", "name: must be a file name"),
        (["files", "train_images", "name"], ".lock", "name: must be a file name"),
        (["files", "train_images", "name"], "b", r"Own\.files: the four names must differ"),
        (["debian"], {"package": "made-up"}, r"Own\.debian: folder missing"),
        (["debian"], {"package": "-o", "folder": "x"}, r"debian\.package: must be the name of"),
        (["debian"], {"package": "xx", "folder": "/usr"}, r"debian\.folder: must be a folder"),
        (["torchvision"], 3, r"Own\.torchvision: must be the name of a class"),
    ],
)
def test_a_faulty_description_is_told_by_file_and_key(tmp_path, place, value, message):
    entry = copy.deepcopy(ENTRY)
    *parents, key = place
    parent = entry
    for name in parents:
        parent = parent[name]
    if value is None:
        del parent[key]
    else:
        parent[key] = value
    path = write_yaml(tmp_path / "own.yaml", {"Own": entry})
    with pytest.raises(StudyError, match=message) as error:
        describe(path)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the name of a data set"),
        ("- Own", "expected the name of a data set"),
        ("Own:", "Own: must be a mapping with the keys files and classes, not None"),
        ("a: {}\nb: {}", r"describes 2 data sets \(a, b\)"),
        ("../up: {}", "'../up' must be a name"),
        ("7: {}", "7 must be a name"),
        ("Own: [", r"own\.yaml, line 1: not valid YAML"),
        (
            "Own:\n  files: {a: 1}\n  files: {}",
            r"line 3: key 'files' is given twice$",
        ),
        (b"\xff\xfe\x00\xd8", "not valid YAML"),
    ],
)
def test_a_file_that_describes_no_data_set_is_told(tmp_path, text, message):
    path = tmp_path / "own.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(StudyError, match=message):
        describe(path)


def test_the_digest_follows_the_sums_alone(tmp_path):
    """A renamed or retranslated data set is the same one; another pixel makes another."""
    plain = describe(write_yaml(tmp_path / "a.yaml", {"A": ENTRY}))
    renamed = describe(write_yaml(tmp_path / "b.yaml", {"B": ENTRY | {"classes": ["x", "y"]}}))
    other = copy.deepcopy(ENTRY)
    other["files"]["test_labels"]["sha256"] = "e" * 64
    assert plain.digest == renamed.digest
    assert plain.digest != describe(write_yaml(tmp_path / "c.yaml", {"A": other})).digest


def test_nothing_here_imports_torch():
    """The Snakefile and every job that does not train import this; torch costs them seconds."""
    code = "import sys, study.data.datasets, study.data.sources; sys.exit('torch' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)


# Files


@given(st.lists(st.integers(0, 6), min_size=1, max_size=3))
def test_the_header_gives_the_shape(tmp_path_factory, shape):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(idx_bytes(np.zeros(shape)))
    assert read_header(path) == tuple(shape)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data())
def test_a_length_that_the_header_does_not_give_is_refused(tmp_path_factory, shape, data):
    content = idx_bytes(np.zeros(shape))
    length = data.draw(st.integers(0, len(content) + 9).filter(lambda n: n != len(content)))
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content.ljust(length, b"\0")[:length])
    with pytest.raises(DamagedFileError, match=str(path)):
        read_header(path)


@given(st.binary(max_size=40))
@example(b"\x1f\x8b\x08\x00")
@example(b"\x00\x00\x0d\x01\x00\x00\x00\x00")
@example(b"\x00\x00\x08\xff" + b"\xff" * 1020)
def test_any_bytes_are_a_header_or_a_damaged_file(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(content)
    try:
        shape = read_header(path)
    except DamagedFileError:
        return
    assert len(content) == 4 + 4 * len(shape) + np.prod(shape, dtype=int)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A data set and the content of its four files."""
    folder = tmp_path_factory.mktemp("whole")
    dataset = write_files(folder, **small_arrays())
    return dataset, {role: (folder / role).read_bytes() for role in dataset.files}


@given(data=st.data())
def test_one_altered_byte_anywhere_is_found(tmp_path_factory, whole, data):
    dataset, contents = whole
    role = data.draw(st.sampled_from(sorted(contents)))
    place = data.draw(st.integers(0, len(contents[role]) - 1))
    altered = bytearray(contents[role])
    altered[place] ^= data.draw(st.integers(1, 255))
    folder = tmp_path_factory.mktemp("altered")
    for name, content in contents.items():
        (folder / name).write_bytes(altered if name == role else content)
    with pytest.raises(DamagedFileError, match=f"{folder / role}: "):
        dataset.verify(folder)


def test_a_missing_file_is_named_with_what_to_do(tmp_path):
    dataset = write_files(tmp_path / "made", **small_arrays())
    (tmp_path / "made" / "test_labels").unlink()
    with pytest.raises(DamagedFileError, match="test_labels: is missing; run again to fetch it"):
        dataset.verify(tmp_path / "made")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"train_labels": [0, 1, 1]}, "train_labels: has 3 labels for 4 images"),
        ({"test_labels": [0, 2]}, "test_labels: has a label 2, where 2 classes are described"),
        ({"test_images": np.zeros((2, 3, 2))}, "test_images: has images of another size"),
        ({"train_images": np.zeros((4, 6))}, r"train_images: has the shape \(4, 6\)"),
        ({"test_images": np.zeros((0, 2, 3))}, r"test_images: has the shape \(0, 2, 3\)"),
    ],
)
def test_files_that_do_not_fit_together_are_refused_whatever_their_sums(tmp_path, changed, message):
    dataset = write_files(tmp_path / "made", **small_arrays(**changed))
    with pytest.raises(DamagedFileError, match=f"{message}.*; remove it and run again"):
        dataset.verify(tmp_path / "made")


def test_pixels_and_labels_are_those_of_the_files(tmp_path):
    arrays = small_arrays()
    data = write_files(tmp_path / "made", **arrays).load(tmp_path / "made")
    for part, examples in (("train", data.train), ("test", data.test)):
        assert examples.x.dtype == examples.y.dtype == np.uint8
        assert examples.x[:, 0].tolist() == arrays[f"{part}_images"].tolist()
        assert examples.y.tolist() == arrays[f"{part}_labels"]


def test_the_made_up_data_set_is_the_same_every_time(tmp_path):
    """Other tests compare runs on it across folders."""
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        write_dataset(folder, train=30, test=10, side=4)
    contents = [{path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders]
    assert contents[0] == contents[1]
    assert len(contents[0]) == 5
