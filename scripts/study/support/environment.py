"""What of the environment reaches a program: nothing that changes its numbers or breaks it.

A shell, a notebook or a container may set variables for other programs' sake. Those that would
change a number under the same config, or stop a library from being imported, are taken out before
a program begins. Variables that choose a GPU, a number of threads or an instruction set by ATen's
name stay: programs set the first two themselves, and a saved state records the third. What Python
and NumPy read when they start is the Makefile's matter and the workflow's (UNSET).
"""

import contextlib
import io
import os
import sys
from collections.abc import MutableMapping

# float32 products with rounded factors, which the config's `precision` decides.
_PRECISION = (
    "DNNL_DEFAULT_FPMATH_MODE",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)

# Which of their loops libraries take: the order of sums, and so their last bits.
_LOOPS = (
    "DNNL_CPU_ISA_HINTS",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_DOMAIN_NUM_THREADS",
    "MKL_DYNAMIC",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_VML_MODE",
    "ONEDNN_CPU_ISA_HINTS",
    "ONEDNN_MAX_CPU_ISA",
    "TORCH_BLAS_PREFER_CUBLASLT",
    "TORCH_BLAS_PREFER_HIPBLASLT",
)

# matplotlib reads these when it is imported, and fails where a notebook's backend is not installed.
_FIGURES = ("MATPLOTLIBRC", "MPLBACKEND")

TAKEN_OUT = (*_PRECISION, *_LOOPS, *_FIGURES)

# What Python and NumPy read as they start, too early for a program to see to.
UNSET = (
    "NPY_DISABLE_CPU_FEATURES",
    "NPY_ENABLE_CPU_FEATURES",
    "OPENBLAS_CORETYPE",
    "PYTHONOPTIMIZE",
    "PYTHONSAFEPATH",
    "PYTHONWARNINGS",
)

# What was taken out of this process's environment, by name; its record tells.
removed: dict[str, str] = {}


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Take out what must not reach this program. Call it before a library is imported."""
    for name in TAKEN_OUT:
        if name in environment:
            removed[name] = environment.pop(name)
    # Whatever encoding a terminal claims, a sign that it has not is no reason to fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A stream whose file was changed under it does not know any more where it stands.
            with contextlib.suppress(OSError):
                stream.reconfigure(errors="replace")
