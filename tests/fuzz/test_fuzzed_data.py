"""Data descriptions and files that nobody would write: described, or told."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from fuzzing import INPUTS, altered, damaged, in_time, told
from mnistlike import write_dataset
from study.data import datasets, sources
from study.data.base import CHECKSUMS
from study.support.errors import StudyError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("data")
    write_dataset(place, classes=["a", "b", "c"], train=12, test=6, side=4)
    return place


@pytest.fixture(scope="module")
def described(folder):
    return YAML(typ="safe").load(folder / "mnistlike.yaml")


EXTRA = {
    "torchvision": "FashionMNIST",
    "debian": {"package": "dataset-fashion-mnist", "folder": "usr/share"},
    "source": "https://example.org/data",
    "licence": "MIT",
}


def described_rightly(path):
    """The data set of a description, which makes sense; None where the fault was told."""
    with in_time():
        try:
            dataset = datasets.describe(str(path))
        except StudyError as error:
            told(error)
            return None
    assert len(dataset.targets) >= 2
    assert len({file.name for file in dataset.files.values()}) == 4
    assert all("/" not in file.name for file in dataset.files.values())
    assert all(len(file.sha256) == 64 for file in dataset.files.values())
    classes = dataset.class_names
    lists = classes.values() if isinstance(classes, dict) else [classes]
    for names in lists:
        assert len(set(names)) == len(names)
        assert all(name.isprintable() and name.strip() for name in names)
    json.dumps(classes, ensure_ascii=False).encode()
    assert dataset.digest
    return dataset


@INPUTS
@given(data=st.data())
def test_any_altered_description_is_taken_or_told(folder, described, data):
    whole = {"MnistLike": described["MnistLike"] | EXTRA}
    content = data.draw(altered(whole))
    path = folder / "altered.yaml"
    path.write_bytes(json.dumps(content).encode("utf-8", "surrogatepass"))
    described_rightly(path)


@INPUTS
@given(data=st.data())
def test_any_damaged_description_is_taken_or_told(folder, data):
    path = folder / "damaged.yaml"
    path.write_bytes(data.draw(damaged((folder / "mnistlike.yaml").read_bytes())))
    described_rightly(path)


@INPUTS
@given(data=st.data())
def test_any_damaged_data_file_is_told(folder, tmp_path_factory, data):
    """Whatever a source holds, what is fetched is what was described."""
    dataset = datasets.describe(folder / "mnistlike.yaml")
    place = tmp_path_factory.mktemp("source")
    names = [file.name for file in dataset.files.values()]
    for name in names:
        (place / f"{name}.gz").write_bytes((folder / f"{name}.gz").read_bytes())
    name = data.draw(st.sampled_from(names))
    whole = (place / f"{name}.gz").read_bytes()
    (place / f"{name}.gz").write_bytes(data.draw(damaged(whole)))
    with in_time():
        try:
            dataset.fetch(place / "out", [str(place)], lambda line: None)
        except StudyError as error:
            message = str(error)
        else:
            message = ""
    if message:
        # Nowhere to be had, or there and wrong.
        told = "no source has the data set MnistLike|MnistLike is not as .* says:"
        assert re.search(told, message)
        assert not (place / "out" / CHECKSUMS).exists()
        return
    dataset.verify(place / "out")
    assert np.array_equal(dataset.load(place / "out").test.y.shape, [6])


def test_a_file_that_unpacks_without_an_end_is_given_up(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 100)
    dataset = datasets.describe(folder / "mnistlike.yaml")
    with pytest.raises(StudyError, match="is larger than 100 bytes"):
        dataset.fetch(tmp_path / "out", [str(folder)], lambda line: None)


@pytest.mark.parametrize("name", ["a\x1b[31m", "a\u202eb", " ", "", 1])
def test_a_class_name_that_does_not_print_is_told(folder, described, name):
    entry = described["MnistLike"] | {"classes": ["1", "b", name]}
    path = folder / "names.yaml"
    path.write_text(json.dumps({"MnistLike": entry}), encoding="utf-8")
    with pytest.raises(StudyError, match=r"classes"):
        datasets.describe(path)
