"""A machine with made-up GPUs: an nvidia-smi that lists them, and a folder for their slots."""

import os
from pathlib import Path

WHOLE = ["GPU-aaaa", "GPU-bbbb"]


def listing(uuids: list[str]) -> str:
    """What `nvidia-smi -L` prints; a part of a GPU (MIG) goes with the one before it."""
    lines = []
    for uuid in uuids:
        if uuid.startswith("MIG"):
            lines.append(f"  MIG 1g.5gb     Device  0: (UUID: {uuid})")
        else:
            lines.append(f"GPU {len(lines)}: NVIDIA A100-SXM4-40GB (UUID: {uuid})")
    return "\n".join(lines)


def environment(folder: Path, uuids: list[str]) -> dict[str, str]:
    """Variables under which processes find just these GPUs; `folder` is to be empty."""
    program = folder / "bin" / "nvidia-smi"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ncat <<'LISTING'\n{listing(uuids)}\nLISTING\n")
    program.chmod(0o755)
    return {
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "GPU_SLOTS": str(folder / "slots"),
    }
