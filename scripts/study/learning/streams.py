"""Random streams that depend on a replicate's seed, their purpose and the epoch, and no more.

A stream is begun anew for each epoch. So an epoch's random numbers are the same whichever seeds
train beside it and wherever training was stopped and continued, and a saved state holds none.
"""

import hashlib

import torch


def stream(seed: int, purpose: str, epoch: int, device: str = "cpu") -> torch.Generator:
    """The random generator of one replicate for one purpose in one epoch (0: before training)."""
    digest = hashlib.sha256(f"{purpose} of epoch {epoch} under seed {seed}".encode()).digest()
    # torch's generator on the CPU uses the low 32 bits of its seed.
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little"))
