"""Which library multiplies matrices on a processor: measured, checked and chosen.

On some processors oneDNN multiplies float32 matrices twice as fast as MKL, which torch takes. The
setting that gives torch's products to oneDNN is a permission to round the factors to bfloat16. A
processor with units for that (AMX) uses it, others compute in float32. The processor's name does
not say which it does: the error against float64 does.
"""

import math
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from study.runs import arithmetic, measured_times, provenance
from study.runs.libraries import AUTO, MKL
from study.support.errors import StudyError

# Relative to the product's norm. Sums of 784 products err by 2.5e-7 in float32, by 3e-4 where the
# factors are rounded to TF32 and by 3e-3 where they are rounded to bfloat16.
FLOAT32_ERROR = 2e-6

# By how much another library has to be faster than MKL, so that noise does not choose.
CLEARLY = 0.9

# Rows, inner size and columns: batches into the first layer of 28 x 28 pixels, and a small layer.
SHAPES = ((100, 784, 128), (32, 784, 128), (100, 128, 64))
REPLICATES = 2

# The least time of so many is taken.
REPETITIONS = 10


# A layer's inputs, weights and the gradient at its outputs, of each replicate.
Factors = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class MeasuredLibrary:
    """How a library multiplies.

    `error` is relative, `same_alone` says whether a stack's products have the bytes of products
    alone, and `seconds` is what the products of SHAPES take.
    """

    library: str
    error: float
    same_alone: bool
    seconds: float = math.inf

    @property
    def is_right(self) -> bool:
        return self.same_alone and self.error <= FLOAT32_ERROR


def choose(measured: Sequence[MeasuredLibrary], wanted: str, begun: Sequence[str] = ()) -> str:
    """The library to train with.

    Args:
        measured: Each library that this processor offers, MKL first.
        wanted: The config's `arithmetic`.
        begun: The libraries that the run's replicates were trained by, those first that are to go
            on. `auto` stays with them, so that these can.

    Raises:
        StudyError: The one that is wanted is not right here, or none is.
    """
    right = {each.library: each for each in measured if each.is_right}
    if wanted != AUTO:
        if wanted not in right:
            raise StudyError(_refusal(measured, wanted))
        return wanted
    if not right:
        raise StudyError(_refusal(measured, MKL))
    for library in begun:
        if library in right:
            return library
    fastest = min(right.values(), key=lambda each: each.seconds)
    usual = right.get(MKL, fastest)
    return (fastest if fastest.seconds < CLEARLY * usual.seconds else usual).library


def _refusal(measured: Sequence[MeasuredLibrary], wanted: str) -> str:
    known = {each.library: each for each in measured}
    if wanted not in known:
        why = "torch multiplies by MKL alone here"
    elif not known[wanted].same_alone:
        why = "here its products in a stack differ from those alone"
    else:
        why = f"here its products have a relative error of {known[wanted].error:.0e}"
    return (
        f"arithmetic: {wanted} would not be exact on {platform.node()} "
        f"({provenance.processor()}): {why}; set `arithmetic: auto` in the config"
    )


def chosen(wanted: str, precision: str, begun: Sequence[str] = ()) -> str:
    """As `choose`, of what is measured on this processor for factors of this `precision`.

    Errors are measured each time, times once for a machine and only where they decide. It leaves
    torch with any of the libraries: `arithmetic.settle` comes after it.
    """
    factors = list(_factors(precision))
    measured = _checked(factors)
    right = [each.library for each in measured if each.is_right]
    if wanted == AUTO and len(right) > 1 and not set(right) & set(begun):
        machine = {
            "processor": provenance.processor(),
            "instructions": provenance.instructions(),
            "torch": torch.__version__,
            "precision": precision,
        }
        seconds = measured_times.of(machine, right, lambda: _seconds(factors, right))
        measured = [replace(each, seconds=seconds.get(each.library, math.inf)) for each in measured]
    return choose(measured, wanted, begun)


def _factors(precision: str) -> Iterator[Factors]:
    """Known numbers, as the study multiplies them: under bfloat16 they are rounded before."""
    generator = torch.Generator().manual_seed(0)

    def numbers(*shape: int) -> Tensor:
        drawn = torch.rand(REPLICATES, *shape, generator=generator) - 0.5
        return drawn.bfloat16().float() if precision == "bfloat16" else drawn

    for rows, inner, columns in SHAPES:
        yield numbers(rows, inner), numbers(inner, columns), numbers(rows, columns)


def _products(inputs: Tensor, weights: Tensor, slope: Tensor) -> list[Tensor]:
    """A layer's outputs, and the gradients of its weights and inputs."""
    return [torch.bmm(inputs, weights), inputs.mT @ slope, slope @ weights.mT]


def _one_by_one(*factors: Tensor) -> list[Tensor]:
    """As `_products`, a replicate alone at a time."""
    replicates = zip(*(factor.split(1) for factor in factors), strict=True)
    alone = [_products(*replicate) for replicate in replicates]
    return [torch.cat(parts) for parts in zip(*alone, strict=True)]


def _checked(factors: Sequence[Factors]) -> list[MeasuredLibrary]:
    """MKL, and each library that gives other bytes here; without times."""
    exact = [each for own in factors for each in _products(*(part.double() for part in own))]
    usual: list[Tensor] = []
    found = []
    for library in arithmetic.libraries():
        arithmetic.settle(library)
        products = [each for own in factors for each in _products(*own)]
        if usual and all(map(torch.equal, usual, products)):
            continue
        usual = usual or products
        alone = [each for own in factors for each in _one_by_one(*own)]
        pairs = zip(products, exact, strict=True)
        errors = torch.stack([(own - right).norm() / right.norm() for own, right in pairs])
        # NaN is a tensor's largest where it is in it.
        found.append(
            MeasuredLibrary(library, errors.max().item(), all(map(torch.equal, alone, products)))
        )
    return found


def _seconds(factors: Sequence[Factors], libraries: Sequence[str]) -> dict[str, float]:
    """The least seconds that the products took by each library, in turns."""
    least = dict.fromkeys(libraries, math.inf)
    for _ in range(REPETITIONS):
        for library in libraries:
            arithmetic.settle(library)
            start = time.perf_counter()
            for own in factors:
                _products(*own)
            least[library] = min(least[library], time.perf_counter() - start)
    return least
