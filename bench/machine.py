"""The machine that a benchmark runs on: its cores, and a description for the reader."""

import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

PACKAGES = ["torch", "torchvision", "numpy", "snakemake"]

# Linux's counters of the energy that processors took, where there are some and they may be read.
POWERCAP = Path("/sys/class/powercap")

# Units of ru_maxrss: bytes on macOS, KiB elsewhere.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


def available_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def keep_to(cores: list[int]) -> None:
    """Keep this process and those it starts to `cores`, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def instructions(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The widest instructions that products of float32 and of bfloat16 have here."""
    flags = set(cpuinfo.read_text(encoding="utf-8").split()) if cpuinfo.exists() else set()
    known = {"amx_bf16": "AMX", "avx512f": "AVX-512", "avx2": "AVX2", "asimd": "NEON"}
    return next((name for flag, name in known.items() if flag in flags), "unknown")


def describe(cores: int) -> dict[str, str]:
    """What a reader needs to know to compare times: hardware, versions, and how busy it was."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    return {
        "CPU": cpu_model(),
        "instructions": instructions(),
        "cores used": f"{cores} of {os.cpu_count()}",
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": platform.platform(),
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
        "load before": f"{os.getloadavg()[0]:.1f} (mean of one minute)",
    }


def energy(powercap: Path = POWERCAP) -> dict[Path, int]:
    """The energy counter of each processor, in microjoules; none where they cannot be read."""
    # One colon names a processor, two a part of it.
    processors = [path for path in powercap.glob("intel-rapl:*") if path.name.count(":") == 1]
    try:
        return {path: int((path / "energy_uj").read_text()) for path in processors}
    except OSError:
        return {}


def joules(before: dict[Path, int], after: dict[Path, int]) -> float | None:
    """What all processors took between two readings, None where there are none.

    A counter begins again at zero past its range: minutes to hours, at which it is taken to have
    done so once at most.
    """
    if not before or before.keys() != after.keys():
        return None
    microjoules = 0
    for path, reading in after.items():
        taken = reading - before[path]
        if taken < 0:
            taken += int((path / "max_energy_range_uj").read_text())
        microjoules += taken
    return microjoules / 1e6
