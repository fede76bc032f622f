"""Calls of Snakemake that are killed, one after another, at moments spread over a study."""

import os
import random
import signal
import subprocess
import time

import forkserver
from small_study import Study


def killed_throughout(study: Study, kills: int, epochs: int, target: str) -> None:
    """Make `target` with so many SIGKILLs to all processes on the way, and then to its end.

    The first comes before anything is trained, and the others each at a further part of the
    `epochs` of single seeds that are trained in all, and up to a second later: in training, in a
    step of a search, or between them.
    """
    chance = random.Random(0)
    for number in range(kills):
        process = subprocess.Popen(
            study.command(target),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=forkserver.environment(),
            start_new_session=True,
        )
        deadline = time.monotonic() + 600
        while study.newly_trained([]) < epochs * number / kills:
            assert process.poll() is None, f"ended before kill {number + 1} of {kills}"
            assert time.monotonic() < deadline, "nothing is trained within ten minutes"
            time.sleep(0.02)
        time.sleep(chance.uniform(0, 1))
        assert process.poll() is None, f"ended before kill {number + 1} of {kills}"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        study.ok("--unlock")
    study.ok(target)
