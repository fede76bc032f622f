"""The device that a run is trained on."""

import platform

import torch

from study.runs import gpus


def choose(wanted: str) -> str:
    """`cpu`, `cuda` or `mps`: what the config's `device` means on this machine.

    Raises StudyError where a device is asked for by name and is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return next(device for device, available in there.items() if available)
    if not there[wanted]:
        raise gpus.missing(wanted)
    return wanted


def kind(device: str) -> str:
    """What exactness holds for: the device's model, or the instruction set of the CPU."""
    if device == "cuda":
        return f"cuda {torch.cuda.get_device_name()}"
    if device == "mps":
        return "mps"
    return f"cpu {platform.machine()} {torch.backends.cpu.get_cpu_capability()}"
