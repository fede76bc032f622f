"""Another library multiplies only where it is right, and clearly faster; processors are made up."""

import math

import pytest
import torch

from examples import run_settings, small_run, tensor_bytes
from study.runs import arithmetic, libraries, measured_times, product_library
from study.runs.libraries import AUTO, MKL, ONEDNN
from study.runs.product_library import MeasuredLibrary, choose
from study.support.errors import StudyError

FLOAT32, BFLOAT16 = 4e-7, 3e-3


def processor(error=FLOAT32, seconds=0.4, same_alone=True):
    """What oneDNN was measured to do, beside MKL, which takes a second."""
    return [
        MeasuredLibrary(MKL, 3e-7, True, 1.0),
        MeasuredLibrary(ONEDNN, error, same_alone, seconds),
    ]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    yield tmp_path / "study"
    arithmetic.settle()


# The choice.


@pytest.mark.parametrize(
    ("measured", "library"),
    [
        (processor(), ONEDNN),
        (processor(seconds=0.95), MKL),
        (processor(seconds=1.1), MKL),
        ([MeasuredLibrary(MKL, 3e-7, True, 1.0)], MKL),
        (processor(BFLOAT16, seconds=0.1), MKL),
        (processor(3e-4, seconds=0.1), MKL),
        (processor(math.nan, seconds=0.1), MKL),
        (processor(seconds=0.1, same_alone=False), MKL),
    ],
    ids=[
        "avx512",
        "hardly faster",
        "slower",
        "not offered",
        "amx",
        "tf32",
        "no numbers",
        "stacks differ",
    ],
)
def test_the_fastest_right_library_is_taken(measured, library):
    assert choose(measured, AUTO) == library


def test_mkl_is_taken_where_it_is_named():
    assert choose(processor(), MKL) == MKL


def test_a_library_that_is_named_and_would_round_is_refused():
    with pytest.raises(StudyError, match=r"arithmetic: onednn .* relative error of 3e-03; set"):
        choose(processor(BFLOAT16), ONEDNN)
    with pytest.raises(StudyError, match="by MKL alone"):
        choose(processor()[:1], ONEDNN)
    with pytest.raises(StudyError, match="in a stack differ"):
        choose(processor(same_alone=False), ONEDNN)
    with pytest.raises(StudyError, match="arithmetic: mkl"):
        choose([MeasuredLibrary(MKL, BFLOAT16, True)], AUTO)


def test_a_run_stays_with_what_began_it_where_that_is_right():
    assert choose(processor(), AUTO, [MKL]) == MKL
    assert choose(processor(seconds=2), AUTO, [ONEDNN, MKL]) == ONEDNN
    assert choose(processor(BFLOAT16), AUTO, [ONEDNN]) == MKL
    assert choose(processor(), MKL, [ONEDNN]) == MKL


# What is measured.


@pytest.fixture
def rounding(monkeypatch):
    """A processor on which oneDNN uses its permission, as with AMX."""
    exact, settle, settled = product_library._products, arithmetic.settle, []

    def settling(library=MKL):
        settled.append(library)
        settle(library)

    def products(*factors):
        is_rounding = factors[0].dtype == torch.float32 and settled and settled[-1] == ONEDNN
        if not is_rounding:
            return exact(*factors)
        # Another order of sums has other bits.
        return [1.0000001 * own for own in exact(*(each.bfloat16().float() for each in factors))]

    monkeypatch.setattr(arithmetic, "settle", settling)
    monkeypatch.setattr(product_library, "_products", products)
    monkeypatch.setattr(product_library, "_seconds", lambda factors, names: {MKL: 1.0, ONEDNN: 0.1})


def test_float32_is_never_computed_in_bfloat16(rounding):
    assert product_library.chosen(AUTO, "float32") == MKL
    assert product_library.chosen(AUTO, "float32", [ONEDNN]) == MKL
    with pytest.raises(StudyError, match="relative error of"):
        product_library.chosen(ONEDNN, "float32")


def test_factors_that_are_rounded_already_may_be(rounding):
    assert product_library.chosen(AUTO, "bfloat16") == ONEDNN


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_mkl_is_measured_as_right_here(precision):
    [mkl, *others] = product_library._checked(list(product_library._factors(precision)))
    assert mkl.library == MKL
    assert mkl.is_right
    assert all(other.library == ONEDNN for other in others)


def test_times_are_measured_once_for_a_machine(rounding, monkeypatch):
    taken = []
    monkeypatch.setattr(
        product_library,
        "_seconds",
        lambda factors, names: taken.append(names) or {MKL: 1.0, ONEDNN: 0.1},
    )
    for _ in range(3):
        assert product_library.chosen(AUTO, "bfloat16") == ONEDNN
        assert product_library.chosen(MKL, "bfloat16") == MKL
        assert product_library.chosen(AUTO, "bfloat16", [MKL]) == MKL
        assert product_library.chosen(AUTO, "float32") == MKL
    assert taken == [[MKL, ONEDNN]]


def test_times_are_of_the_products():
    seconds = product_library._seconds(list(product_library._factors("float32")), [MKL, ONEDNN])
    assert all(0 < each < 10 for each in seconds.values())


# Each library, on this processor. Where torch has no other than MKL, both are MKL.


def offered(precision="float32"):
    measured = product_library._checked(list(product_library._factors(precision)))
    return [each.library for each in measured if each.is_right]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("library", [MKL, ONEDNN])
def test_a_replicate_has_the_same_bytes_alone_and_stacked(library, precision):
    if library not in offered(precision):
        # torch multiplies by MKL then, or this processor would round.
        library = MKL
    arithmetic.settle(library)
    settings = run_settings(hidden=[40, 24], batch_size=32, dropout=0.2, precision=precision)
    run = small_run(settings)
    stacked = run.trainer([0, 1, 2])
    for _ in range(2):
        measured = stacked.train_epoch(run.train)
    for place, seed in enumerate([0, 1, 2]):
        alone = run.trainer([seed])
        for _ in range(2):
            own = alone.train_epoch(run.train)
        assert tensor_bytes(alone.state()[0]) == tensor_bytes(stacked.state()[place])
        assert own["loss"] == [measured["loss"][place]]


@pytest.mark.parametrize("library", [MKL, ONEDNN])
def test_settling_names_the_library_to_torch(library):
    arithmetic.settle(library)
    assert torch.backends.mkldnn.matmul.fp32_precision == arithmetic.FACTORS[library]
    arithmetic.settle()
    assert torch.backends.mkldnn.matmul.fp32_precision == "ieee"


# How saved states name it.


def test_the_name_of_mkls_arithmetic_is_its_digest_as_ever():
    assert libraries.named(MKL, "00ff") == "00ff"
    assert libraries.named(ONEDNN, "00ff") == "onednn 00ff"
    assert libraries.of("00ff") == libraries.of("") == MKL
    assert libraries.of("onednn 00ff") == ONEDNN


# The cache.

MACHINE = {"processor": "Made Up 3000", "torch": "1"}
NAMES = [MKL, ONEDNN]


def measured_anew(machine=MACHINE, names=NAMES, seconds=0.5):
    taken = []

    def measure():
        taken.append(True)
        return dict.fromkeys(names, seconds)

    found = measured_times.of(machine, names, measure)
    return bool(taken), found


def test_a_time_is_kept_for_each_machine(cache):
    assert measured_anew() == (True, {MKL: 0.5, ONEDNN: 0.5})
    assert measured_anew(seconds=9) == (False, {MKL: 0.5, ONEDNN: 0.5})
    assert measured_anew(MACHINE | {"torch": "2"}, seconds=9) == (True, {MKL: 9, ONEDNN: 9})
    assert measured_anew(names=[*NAMES, "another"])[0]
    assert all(path.suffix == ".json" for path in cache.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"seconds": 3}',
        b'{"seconds": {"mkl": 1}}',
        b'{"seconds": {"mkl": 1, "onednn": "x"}}',
        b'{"seconds": {"mkl": 1, "onednn": NaN}}',
        b'{"seconds": {"mkl": -1, "onednn": 1}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_cache_is_ignored_and_made_anew(cache, damage):
    measured_anew()
    [path] = cache.iterdir()
    path.write_bytes(damage)
    assert measured_anew() == (True, {MKL: 0.5, ONEDNN: 0.5})
    assert not measured_anew()[0]


def test_without_a_cache_it_is_measured_each_time(cache, monkeypatch):
    cache.write_text("a file is in its place")
    assert measured_anew()[0]
    assert measured_anew()[0]


def test_the_cache_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert measured_times.folder() == tmp_path / ".cache/study"
