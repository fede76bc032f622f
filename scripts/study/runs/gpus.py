"""A GPU for each training process: slots, held by locks that end with the process.

All of it goes on before torch is imported: CUDA reads once which devices it may see.
"""

import contextlib
import fcntl
import itertools
import os
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from study.support.errors import StudyError

# Seconds between two looks at slots that are all taken.
PAUSE = 0.5

# By what a GPU shows in /dev: NVIDIA's cards and boards, Windows' Linux, AMD's under ROCm.
DEVICE_FILES = ("nvidia[0-9]*", "nvhost-gpu", "nvgpu*", "dxg", "kfd")

# Devices in CUDA_VISIBLE_DEVICES that are none; those after them are hidden too.
_NONE = {"", "-1", "NoDevFiles"}


def are_absent(devices: Path = Path("/dev")) -> bool:
    """Whether this machine has surely no GPU that torch could call `cuda`."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    is_hidden = visible is not None and not _named(visible)
    return is_hidden or not any(any(devices.glob(pattern)) for pattern in DEVICE_FILES)


def missing(wanted: str) -> StudyError:
    """What to say where the config's `device` asks for `wanted` and there is none."""
    return StudyError(
        f"device: {wanted} is asked for, and there is none on {platform.node()}; "
        "set `device: auto` in the config, or run where there is one"
    )


def installed() -> list[str]:
    """The UUIDs of this machine's GPUs as the driver's nvidia-smi lists them; none without it.

    A GPU that is divided is listed as its parts (MIG), of which CUDA takes one as a device.
    """
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    found: list[str] = []
    for uuid in re.findall(r"\(UUID: ([^)]+)\)", listing):
        if uuid.startswith("MIG") and found and found[-1].startswith("GPU"):
            found.pop()
        found.append(uuid)
    return found


def at_choice(environment: Mapping[str, str]) -> dict[str, str]:
    """The GPUs to choose from, by what CUDA_VISIBLE_DEVICES calls each; the values name them.

    They are those that the user or a scheduler has put into CUDA_VISIBLE_DEVICES, else all of the
    machine. A single one that was named is theirs already, and a job of SLURM's without any has
    none: then there is nothing to choose. All processes call a GPU by its UUID where nvidia-smi
    tells it; an index counts in its order, which is CUDA's where the GPUs are alike or
    CUDA_DEVICE_ORDER is PCI_BUS_ID.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return {} if "SLURM_JOB_ID" in environment else {uuid: uuid for uuid in installed()}
    named = _named(visible)
    if len(named) < 2:
        return {}
    uuids = installed()
    return {device: _uuid(device, uuids) for device in named}


def _named(visible: str) -> list[str]:
    devices = (device.strip() for device in visible.split(","))
    return list(itertools.takewhile(lambda device: device not in _NONE, devices))


def _uuid(device: str, uuids: list[str]) -> str:
    if device.isdecimal():
        return uuids[int(device)] if int(device) < len(uuids) else device
    # CUDA takes the beginning of a UUID for all of it.
    return next((uuid for uuid in uuids if uuid.startswith(device)), device)


@contextlib.contextmanager
def slot(wanted: str, per_gpu: int, tell: Callable[[str], None]) -> Iterator[None]:
    """Show CUDA a single GPU, on which less than `per_gpu` others hold a slot, during the block.

    Where all slots are taken, it waits. `wanted` is the config's `device`; where that is no GPU,
    or there is none to choose (at_choice), nothing is done. The system frees the slot of a process
    that dies. `per_gpu` is to be the same for all that share a machine.
    """
    gpus = at_choice(os.environ) if wanted in ("auto", "cuda") else {}
    if not gpus:
        yield
        return
    here = folder()
    here.mkdir(parents=True, exist_ok=True)
    taken = _take(gpus, per_gpu, here)
    if taken is None:
        tell(f"waiting for one of {len(gpus) * per_gpu} GPU slots ({here})")
    while taken is None:
        time.sleep(PAUSE)
        taken = _take(gpus, per_gpu, here)
    device, lock = taken
    tell(f"on GPU {device}")
    os.environ["CUDA_VISIBLE_DEVICES"] = device
    try:
        yield
    finally:
        os.close(lock)


def folder() -> Path:
    """Where the locks lie: $GPU_SLOTS, else a folder of the user's own on this machine.

    It is not below $TMPDIR, which Snakemake and schedulers set for each job.
    """
    return Path(os.environ.get("GPU_SLOTS") or f"/tmp/gpu-slots-{os.getuid()}")


def _take(gpus: Mapping[str, str], per_gpu: int, here: Path) -> tuple[str, int] | None:
    """A GPU with a free slot and the open lock; none has a second while another has no first."""
    for number, (device, name) in itertools.product(range(per_gpu), gpus.items()):
        path = here / f"{re.sub(r'[^A-Za-z0-9.-]', '_', name)}.{number}"
        # Opened to read: another user's file can be locked too.
        lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return device, lock
    return None
