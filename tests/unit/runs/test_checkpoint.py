"""A saved state is what was written, or is found to be damaged; it is never read as data."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from examples import MANY
from study.runs import checkpoint
from study.runs.checkpoint import Checkpoint, DamagedStateError, Replicate, Target
from study.support import files


def replicate(seed, epochs=2, **changed):
    random = np.random.default_rng(seed)
    tensors = {
        "parameters": random.random(32, np.float32),
        "optimizer.exp_avgs": random.random(32, np.float32),
        "optimizer.state_steps": np.array(7, np.float32),
    }
    return Replicate(
        **{
            "device": "cpu test",
            "measures": random.random((epochs, 6)),
            "tensors": tensors,
            "kept": {
                epoch: {
                    "parameters": random.random(32, np.float32),
                    "buffers.float32": random.random(5, np.float32),
                }
                for epoch in (1, 9)
            },
        }
        | changed
    )


def made():
    measures = np.full((3, 6), [[0.5], [1e300], [np.nan]])
    return Checkpoint(
        {"code": "abc", "data": "def"},
        {
            4: replicate(4),
            0: replicate(0, epochs=1),
            4294967295: Replicate("cuda Some GPU", measures, diverged=True),
        },
    )


def assert_same(one, other):
    assert one.fingerprint == other.fingerprint
    assert one.replicates.keys() == other.replicates.keys()
    for seed, first in one.replicates.items():
        second = other.replicates[seed]
        assert (first.device, first.diverged) == (second.device, second.diverged)
        pairs = [({"": first.measures}, {"": second.measures})]
        pairs += [(first.tensors, second.tensors)]
        assert first.kept.keys() == second.kept.keys()
        pairs += [(first.kept[epoch], second.kept[epoch]) for epoch in first.kept]
        for mine, its in pairs:
            assert mine.keys() == its.keys()
            for name in mine:
                assert mine[name].dtype == its[name].dtype
                assert mine[name].shape == its[name].shape
                assert mine[name].tobytes() == its[name].tobytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A state file's path in a folder of its own, and its content."""
    path = tmp_path_factory.mktemp("written") / "state.safetensors"
    checkpoint.write(path, made())
    return path, path.read_bytes()


def test_what_is_written_is_read(written):
    """Numbers without dimensions, such as a count of steps, stay so."""
    path, content = written
    path.write_bytes(content)
    assert_same(checkpoint.read_checkpoint(path), made())


FLOATS = st.floats(width=32)


@given(
    st.dictionaries(
        st.integers(0, 2**32 - 1),
        st.builds(
            Replicate,
            device=st.text(max_size=8),
            measures=st.lists(st.tuples(*[st.floats()] * 6), min_size=1, max_size=3).map(np.array),
            diverged=st.booleans(),
            tensors=st.dictionaries(
                st.sampled_from(["parameters", "optimizer.a", "optimizer.b"]),
                st.one_of(
                    FLOATS.map(np.float32).map(np.array),
                    st.lists(FLOATS, max_size=4).map(lambda row: np.array(row, np.float32)),
                ),
            ),
        ),
        max_size=3,
    ),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
def test_any_state_is_read_as_it_was_written(written, replicates, fingerprint):
    path, _ = written
    before = Checkpoint(fingerprint, replicates)
    checkpoint.write(path, before)
    assert_same(checkpoint.read_checkpoint(path), before)


def test_parts_of_larger_arrays_are_written_as_they_are(tmp_path):
    """Row by row views of a stack are not contiguous."""
    rows = np.arange(64, dtype=np.float32).reshape(16, 4)
    before = Checkpoint({}, {0: replicate(0, tensors={"parameters": rows[:, 1]})})
    checkpoint.write(tmp_path / "state", before)
    assert_same(checkpoint.read_checkpoint(tmp_path / "state"), before)


def test_the_same_state_gives_the_same_bytes(tmp_path):
    paths = [tmp_path / f"{number}.safetensors" for number in range(12)]
    for path in paths:
        checkpoint.write(path, made())
    assert len({path.read_bytes() for path in paths}) == 1


@MANY
@given(st.data())
def test_every_truncation_is_found(written, data):
    path, content = written
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DamagedStateError):
        checkpoint.read_checkpoint(path)


@MANY
@given(st.data())
def test_every_flipped_bit_is_found(written, data):
    path, content = written
    damaged = bytearray(content)
    damaged[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(damaged)
    with pytest.raises(DamagedStateError):
        checkpoint.read_checkpoint(path)


@MANY
@given(st.data())
def test_any_other_damage_is_found(written, data):
    path, content = written
    start = data.draw(st.integers(0, len(content) - 1))
    end = data.draw(st.integers(start, min(start + 20, len(content))))
    damaged = content[:start] + data.draw(st.binary(max_size=20)) + content[end:]
    path.write_bytes(damaged)
    if damaged == content:
        assert_same(checkpoint.read_checkpoint(path), made())
        return
    with pytest.raises(DamagedStateError) as caught:
        checkpoint.read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 8, b"\0" * 5000, b"\xff" * 5000, b"{}", b"\x02\0\0\0\0\0\0\0{}"]
)
def test_what_was_never_a_state_is_found(tmp_path, content):
    path = tmp_path / "state.safetensors"
    path.write_bytes(content)
    with pytest.raises(DamagedStateError):
        checkpoint.read_checkpoint(path)


def test_a_tensor_of_another_file_is_found(written):
    """Each is whole by itself: only the checksum tells."""
    path, content = written
    path.write_bytes(content)
    tensors = load_file(path)
    tensors["seed_4.parameters"], tensors["seed_0.parameters"] = (
        tensors["seed_0.parameters"],
        tensors["seed_4.parameters"],
    )
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    save_file(tensors, path, metadata)
    with pytest.raises(DamagedStateError, match="checksum"):
        checkpoint.read_checkpoint(path)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), SafetensorError("full")])
def test_a_failing_write_leaves_the_old_state(tmp_path, monkeypatch, error):
    path = tmp_path / "state.safetensors"
    checkpoint.write(path, made())
    before = path.read_bytes()

    def failing(tensors, filename, metadata=None):
        filename.write_bytes(b"half")
        raise error

    monkeypatch.setattr(files, "save_file", failing)
    with pytest.raises(type(error)):
        checkpoint.write(path, Checkpoint({}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_plain_safetensors_and_json(written):
    """Anyone can open it, and nothing in it is run."""
    path, content = written
    path.write_bytes(content)
    assert set(load_file(path)) >= {"seed_0.parameters", "seed_4.measures", "seed_4.kept"}
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    described = json.loads(header["__metadata__"]["state"])
    assert described["fingerprint"] == {"code": "abc", "data": "def"}


# What is still to be trained.


@pytest.mark.parametrize(
    ("known", "epochs", "kept_epochs", "covered"),
    [
        (replicate(0, 3), 3, [], True),
        (replicate(0, 3), 2, [], True),
        (replicate(0, 3), 4, [], False),
        (replicate(0, 3), 3, [3], True),
        (replicate(0, 3), 3, [2], False),
        (replicate(0, 3), 4, [3], False),
        (replicate(0, 3), 3, [1, 3], True),
        (replicate(0, 3), 3, [1, 2], False),
        (Replicate("cpu", np.zeros((2, 6)), diverged=True), 9, [9], True),
    ],
)
def test_a_replicate_covers_what_it_holds(known, epochs, kept_epochs, covered):
    assert known.covers(epochs, kept_epochs) is covered
    target = Target([0], epochs, kept_epochs)
    assert target.open_seeds(Checkpoint({}, {0: known})) == ([] if covered else [0])


def test_seeds_that_are_not_there_are_open():
    assert Target([5, 0, 1], 2).open_seeds(Checkpoint({}, {0: replicate(0)})) == [5, 1]
