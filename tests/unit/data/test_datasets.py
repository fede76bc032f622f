"""What every form of data does, whatever its files are."""

import shutil

import numpy as np
import pytest

from data_forms import FORMS
from study.data.base import CHECKSUMS, Classes, DamagedFileError, Quantities
from study.data.datasets import describe
from study.support.errors import StudyError


@pytest.fixture(scope="module", params=FORMS)
def form(request, tmp_path_factory):
    """The data set, its sources, and the folder that it was fetched into."""
    folder = tmp_path_factory.mktemp(request.param)
    named, sources = FORMS[request.param](folder / "source")
    dataset = describe(named)
    dataset.fetch(folder / "there", sources, print)
    return dataset, sources, folder / "there"


@pytest.fixture
def copied(form, tmp_path):
    dataset, sources, there = form
    return dataset, sources, shutil.copytree(there, tmp_path / "copied")


def test_each_part_has_examples_and_targets(form):
    dataset, _, there = form
    data = dataset.load(there)
    for part in (data.train, data.test):
        assert len(part) > 0
        assert part.x.shape == (len(part), *data.inputs)
        assert part.x.dtype in (np.uint8, np.float32)
        assert np.isfinite(part.x).all()
        if isinstance(data.targets, Classes):
            assert part.y.shape == (len(part),)
            assert np.issubdtype(part.y.dtype, np.integer)
            assert set(np.unique(part.y)) <= set(range(len(data.targets)))
        else:
            assert isinstance(data.targets, Quantities)
            assert part.y.shape == (len(part), len(data.targets))
            assert part.y.dtype == np.float32


def test_what_is_described_is_what_is_there(form):
    dataset, _, there = form
    targets = dataset.load(there).targets
    assert dataset.targets in (None, targets)
    assert len(dataset.digest) == 12
    assert len(dataset.description) == 16


def test_examples_are_mapped_and_writing_to_them_alters_no_file(form):
    """Mapped, so that all processes share one copy; private, so that none can alter the data."""
    dataset, _, there = form
    examples = dataset.load(there).train
    assert isinstance(examples.x, np.memmap)
    assert isinstance(examples.y, np.memmap)
    before = examples.x[0].copy()
    examples.x[0] = 1 - examples.x[0]
    assert (dataset.load(there).train.x[0] == before).all()
    with pytest.raises(ValueError, match="read-only"):
        examples.y[0] = 0
    dataset.verify(there)


def test_fetched_twice_the_files_have_the_same_bytes(form, tmp_path):
    dataset, sources, there = form
    dataset.fetch(tmp_path / "again", sources, print)
    for name in [*dataset.file_names, CHECKSUMS]:
        assert (tmp_path / "again" / name).read_bytes() == (there / name).read_bytes()


def test_the_checksums_are_those_of_all_files(form):
    dataset, _, there = form
    assert {path.name for path in there.iterdir()} - {".lock"} == {*dataset.file_names, CHECKSUMS}
    assert (there / CHECKSUMS).read_text() == dataset.checksums(there)
    assert list(dataset.sums(there)) == dataset.file_names


def test_files_that_are_right_are_kept(copied):
    dataset, _, there = copied
    before = {path: path.stat().st_mtime_ns for path in there.iterdir()}
    lines = []
    dataset.fetch(there, ["nowhere"], lines.append)
    assert lines == [f"{dataset.name}: already in {there}, verified"]
    assert {path: path.stat().st_mtime_ns for path in there.iterdir()} == before


def test_an_altered_or_missing_file_is_noticed_and_fetched_again(copied):
    dataset, sources, there = copied
    for number, name in enumerate(dataset.file_names):
        path = there / name
        right = path.read_bytes()
        path.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
        with pytest.raises(DamagedFileError, match=f"{path}: "):
            dataset.verify(there)
        if number == 0:
            path.unlink()
            with pytest.raises(DamagedFileError, match=f"{path}: is missing"):
                dataset.verify(there)
        dataset.fetch(there, sources, print)
        assert path.read_bytes() == right


def test_what_is_checked_against_the_study_leaves_no_checksums(form, tmp_path):
    """Training waits for them."""
    dataset, sources, _ = form

    def refuse(folder):
        assert len(dataset.load(folder).train)
        raise StudyError("unfit")

    with pytest.raises(StudyError, match="unfit"):
        dataset.fetch(tmp_path / "there", sources, print, refuse)
    assert not (tmp_path / "there" / CHECKSUMS).exists()
