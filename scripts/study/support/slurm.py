"""The SLURM job that this process runs in, if it does, and what SLURM says of others."""

import os
import subprocess

# What SLURM tells a job of itself and of what it was given.
VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_JOB_PARTITION",
    "SLURMD_NODENAME",
    "SLURM_CPUS_ON_NODE",
    "SLURM_GPUS_ON_NODE",
    "CUDA_VISIBLE_DEVICES",
)

# Asked in this order: squeue forgets a finished job soon, sacct needs an accounting database.
STATE_COMMANDS = (
    ("squeue", "--noheader", "--states=all", "--format=%T", "--jobs"),
    ("sacct", "--noheader", "--allocations", "--parsable2", "--format=State", "--jobs"),
)


def allocation() -> dict[str, str]:
    """The job's number, node, processors and GPUs, by SLURM's own names; empty outside a job."""
    if "SLURM_JOB_ID" not in os.environ:
        return {}
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def state(job: str) -> str:
    """How a job stands or ended, in SLURM's word (`TIMEOUT`, `NODE_FAIL`); empty if unknown."""
    for command in STATE_COMMANDS:
        try:
            answer = subprocess.run([*command, job], capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        words = answer.stdout.split()
        if answer.returncode == 0 and words:
            return words[0]
    return ""
