"""What arithmetic a device computes with: settled by the program, and known by a digest.

The same torch on the same processor may take other loops for a product or an exponential: another
library behind it, a variable of the environment, a limit of a virtual machine. The results then
differ in their last bits, and a replicate that went on would be none that was ever trained whole.
A name for the instructions does not tell; the results of a few fixed operations do.
"""

import hashlib
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional

from study.runs.libraries import MKL, ONEDNN

# torch's setting of float32 products for each library. For oneDNN it is a permission to round the
# factors, which product_library.py tells whether a processor uses.
FACTORS = {MKL: "ieee", ONEDNN: "bf16"}

# Rows, inner size and columns of products: a batch into the first layer of 28 x 28 pixels, small
# layers, an output layer, and sizes that fill no vector register.
PRODUCTS = ((100, 784, 128), (32, 128, 64), (64, 64, 10), (7, 33, 5))

ACTIVATIONS = (
    torch.relu,
    functional.leaky_relu,
    functional.elu,
    functional.gelu,
    functional.silu,
    torch.tanh,
    torch.sigmoid,
)


def settle(library: str = MKL) -> None:
    """Compute with one thread and whole float32 factors, whatever was said before.

    A replicate's numbers must not depend on how many threads there are. `precision` in the config
    is what rounds factors. `library` multiplies them on a CPU, product_library.py says which.
    """
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.backends.mkldnn.matmul.fp32_precision = FACTORS[library]


def libraries() -> list[str]:
    """Those that this build of torch has, the one that it takes by itself first."""
    return [MKL, ONEDNN] if torch.backends.mkldnn.is_available() else [MKL]


def digest(device: str) -> str:
    """16 hexadecimal digits that stand for what training computes with on `device`."""
    found = hashlib.sha256()
    for result in _results(device):
        found.update(result.cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def _results(device: str) -> Iterator[Tensor]:
    for rows, inner, columns in PRODUCTS:
        a, b = _numbers(3, rows, inner).to(device), _numbers(3, inner, columns).to(device)
        bias = _numbers(3, 1, columns).to(device)
        product = torch.baddbmm(bias, a, b)
        yield product
        yield torch.bmm(a, b)
        yield a[0] @ b[0]
        # As for the gradients of weights and of inputs.
        yield torch.bmm(a.mT, product)
        yield torch.bmm(product, b.mT)
        # Factors rounded to bfloat16, as `precision: bfloat16` has them on GPUs.
        if device != "cpu":
            yield torch.bmm(a.bfloat16(), b.bfloat16()).float()
    values = 16 * _numbers(64, 1000).to(device)
    for activation in ACTIVATIONS:
        yield activation(values)
    yield from (values.softmax(1), values.log_softmax(1), values.sum(1), values.mean())
    yield from (values.exp(), values.abs().log(), values.abs().sqrt(), values.abs().rsqrt())


def _numbers(*shape: int) -> Tensor:
    """Numbers between -0.5 and 0.5 that are the same to the last bit everywhere.

    They are whole multiples of 1/8192: every way to compute them is exact.
    """
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 5003 % 8192).float() / 8192 - 0.5).view(shape)
