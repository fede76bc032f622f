"""Which code, versions and machine made a file."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

from study.support import environment, resources, slurm

PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "scipy", "matplotlib", "snakemake")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results pass through."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def made_by() -> dict[str, object]:
    """Commit, versions and machine of this process; in a job of SLURM, what it was given.

    `not_heeded` are variables of the environment that would have changed its numbers.
    """
    known = {"commit": commit(), "versions": versions(), "machine": machine()}
    further = {"slurm": slurm.allocation(), "not_heeded": dict(environment.removed)}
    return known | {key: value for key, value in further.items() if value}


def commit() -> str:
    """The commit of the code, `-dirty` where files differ from it, or `unknown`."""
    if not resources.CLONE:
        return "unknown"
    try:
        return subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=resources.CLONE,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def machine() -> dict[str, str]:
    """Processor, cores and operating system."""
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def processor() -> str:
    """The processor's model, or `unknown`."""
    return _in_cpuinfo("model name") or platform.processor() or "unknown"


def instructions() -> str:
    """What instructions the processor has, as Linux lists them; empty where it does not."""
    return _in_cpuinfo("flags") or _in_cpuinfo("Features")


def _in_cpuinfo(key: str) -> str:
    """What Linux says of the first core, empty where it says nothing."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    said = (line.partition(":")[2].strip() for line in lines if line.startswith(key))
    return next(said, "")
