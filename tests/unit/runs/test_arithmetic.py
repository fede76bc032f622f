"""Other arithmetic has another digest; a program settles which it is."""

import subprocess
import sys

import pytest
import torch

from small_study import ROOT
from study.runs import arithmetic

SETTLED = "from study.runs import arithmetic; arithmetic.settle(); "
DIGEST = SETTLED + "print(arithmetic.digest('cpu'))"


def printed(program: str = DIGEST, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "scripts"), **environment},
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def usual() -> str:
    return printed()


def test_the_digest_is_the_same_in_every_process(usual):
    torch.set_num_threads(1)
    assert arithmetic.digest("cpu") == usual
    assert len(usual) == 16


def test_threads_and_libraries_threads_are_settled(usual):
    assert printed(OMP_NUM_THREADS="2", MKL_NUM_THREADS="2", OMP_DYNAMIC="true") == usual


@pytest.mark.parametrize(
    "variable", [{"MKL_CBWR": "COMPATIBLE"}, {"ATEN_CPU_CAPABILITY": "default"}]
)
def test_other_loops_have_another_digest(usual, variable):
    assert printed(**variable) != usual


def test_factors_are_whole_whatever_was_said_before(usual):
    said = "import torch; torch.set_float32_matmul_precision('medium'); " + DIGEST
    assert printed(said) == usual


def test_threads_and_precision_are_settled_where_no_number_shows_it():
    """Small products are the same by two threads, and rounded factors take a CPU that has them."""
    said = "import torch; torch.set_num_threads(2); "
    said += "torch.set_float32_matmul_precision('medium'); " + SETTLED
    said += "print(torch.get_num_threads(), torch.get_float32_matmul_precision())"
    assert printed(said) == "1 highest"
