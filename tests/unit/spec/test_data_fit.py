"""What of a study and its data cannot go together is told in one line, before any training."""

import numpy as np
import pytest

from mnistlike import idx_bytes, write_dataset
from study.data import datasets, idx
from study.spec import data_fit, plan
from study.spec.config import validated
from study.spec.resolution import resolve
from study.support.errors import StudyError

CLASSES = ["a", "b", "c", "d"]


@pytest.fixture
def data(tmp_path):
    """Described in a file, and fetched: 40 and 20 images of 8 x 8 pixels."""
    write_dataset(tmp_path / "data", classes={"en": CLASSES}, train=40, test=20, side=8)
    dataset = datasets.describe(tmp_path / "data" / "mnistlike.yaml")
    dataset.fetch(tmp_path / "there", [str(tmp_path / "data")], tell=print)
    return dataset, tmp_path / "there"


def planned(dataset, **changes) -> plan.Plan:
    changes = {"report": {"languages": ["en"]}, "baseline": {"batch_size": 1}} | changes
    changes["data"] = {"dataset": str(dataset.described_in), **changes.get("data", {})}
    config = {"experiments": {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}} | changes
    return resolve(validated(config, "config.yaml"))


def check(there, **changes) -> list[str]:
    dataset, folder = there
    return data_fit.check_files(planned(dataset, **changes), dataset, folder)


def test_what_fits_needs_no_word(data):
    assert check(data, baseline={"batch_size": 40, "shift": 7}) == []


def test_class_names_are_needed_in_every_language_of_the_report(data):
    dataset, _ = data
    study = planned(dataset, report={"languages": ["en", "es"]})
    with pytest.raises(StudyError, match=r"MnistLike\.classes has no names for language 'es'"):
        data_fit.check_description(study, dataset)


@pytest.mark.parametrize("size", [40, 41])
def test_some_training_images_must_be_left(data, size):
    validation = {"from": "train", "size": size}
    with pytest.raises(StudyError, match=rf"validation\.size: {size} of 40 .* leave none"):
        check(data, data={"validation": validation})
    assert check(data, data={"validation": validation | {"size": 39}}) == []


def test_an_image_is_not_moved_out_of_sight(data):
    with pytest.raises(StudyError, match=r"shift: 8 pixels move an image of 8 x 8 out of sight"):
        check(data, experiments={"shift": {"vary": {"shift": [0, 8]}}})


@pytest.mark.parametrize("setting", [{"shift": 1}, {"flip": True}])
def test_only_images_are_moved(tmp_path, setting):
    (tmp_path / "a.csv").write_text("a,y\n" + "1,yes\n2,no\n" * 20)
    table = {"table": str(tmp_path / "a.csv"), "target": "y"}
    dataset = datasets.describe(table)
    dataset.fetch(tmp_path / "there", [], print)
    config = {"experiments": {"dropout": {"vary": {"dropout": [0.1, 0.2]}}}}
    config |= {"data": {"dataset": table}, "baseline": setting}
    study = resolve(validated(config, "config.yaml"))
    with pytest.raises(StudyError, match=rf"^{next(iter(setting))}: moves images, which .* a are"):
        data_fit.check_files(study, dataset, tmp_path / "there")


def test_a_function_that_gives_no_images_is_told(tmp_path):
    source = "import numpy as np\n\ndef load():\n    return np.eye(9), np.arange(9) % 2\n"
    (tmp_path / "my_data.py").write_text(source)
    named = {"python": str(tmp_path / "my_data.py"), "examples": "images"}
    dataset = datasets.describe(named)
    dataset.fetch(tmp_path / "there", [], print)
    config = {"experiments": {"dropout": {"vary": {"dropout": [0.1]}}}, "data": {"dataset": named}}
    study = resolve(validated(config, "config.yaml"))
    with pytest.raises(StudyError, match="the examples of my_data are no images, .* but 9"):
        data_fit.check_files(study, dataset, tmp_path / "there")


def test_a_batch_that_is_all_is_noted(data):
    told = check(data, experiments={"batch": {"vary": {"batch_size": [40, 41]}}})
    assert told == ["batch_size: 41 is more than the 40 training images: a batch is all"]


def test_of_those_left_to_train_on(data):
    held_out = {"validation": {"from": "train", "size": 10}}
    told = check(data, data=held_out, baseline={"batch_size": 31})
    assert told == ["batch_size: 31 is more than the 30 training images: a batch is all"]


def rewritten(data, role: str, change) -> tuple:
    dataset, folder = data
    path = folder / dataset.files[role].name
    array = np.frombuffer(path.read_bytes(), np.uint8, offset=16 if "images" in role else 8)
    shape = idx.read_header(path)
    path.write_bytes(idx_bytes(change(array.reshape(shape))))
    return data


def test_pixels_that_were_fractions_are_noted(data):
    """As `astype(uint8)` leaves what ToTensor made: black, but for what was exactly 1."""
    [told] = check(rewritten(data, "train_images", lambda pixels: pixels // 255))
    assert "brighter than 1 of 255" in told
    assert "multiply fractions by 255" in told


def test_a_class_that_never_occurs_is_noted(data):
    told = check(rewritten(data, "train_labels", lambda labels: labels.clip(max=2)))
    assert told == ["no training image is of the class 3 (counted from 0)"]
