"""A command measured from outside: its time, its cores', its memory and the machine's energy."""

import contextlib
import itertools
import os
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

import machine

# Processor time is read quickly. The share of memory that a process has to itself is added up page
# by page, tens of milliseconds where torch is loaded: every second it took a tenth of a core.
SAMPLE_SECONDS = 1.0
MEMORY_SAMPLES = 10


@dataclass(frozen=True)
class Measured:
    """One command and all processes that it started.

    `peak_mb` is the largest process's peak, `together_mb` the largest sum over processes at once,
    in which memory that several share counts once. `joules` are the whole machine's, None where
    they cannot be read.
    """

    seconds: float
    core_seconds: float
    peak_mb: float
    together_mb: float
    joules: float | None = None

    def times(self, factor: float) -> "Measured":
        """As long as `factor` such commands one after another."""
        return replace(
            self,
            seconds=self.seconds * factor,
            core_seconds=self.core_seconds * factor,
            joules=None if self.joules is None else self.joules * factor,
        )


class CommandFailedError(Exception):
    """A measured command ended with another exit code than 0."""


class Sampler(threading.Thread):
    """Looks at a process and its descendants until it is told to stop: each second, and at their
    memory every tenth time.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.together = 0
        self.processor_seconds: dict[psutil.Process, float] = {}
        self._ended = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            if self._ended.wait(SAMPLE_SECONDS):
                return
            with contextlib.suppress(psutil.Error):
                family = [self.root, *self.root.children(recursive=True)]
                self.sample(family, with_memory=number % MEMORY_SAMPLES == 0)

    def sample(self, processes: list[psutil.Process], with_memory: bool = True) -> None:
        memory = 0
        for process in processes:
            # It may have ended since it was listed.
            with contextlib.suppress(psutil.Error):
                used = process.cpu_times()
                self.processor_seconds[process] = used.user + used.system
                if with_memory:
                    share = process.memory_full_info()
                    # Only Linux knows the proportional share; elsewhere what is the process's own.
                    memory += getattr(share, "pss", share.uss)
        self.together = max(self.together, memory)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def run(command: list[object], log: Path, cwd: Path | None = None) -> Measured:
    """Run a command to its end, its output in `log`. Raises CommandFailedError where it fails."""
    energy = machine.energy()
    start = time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            list(map(str, command)), cwd=cwd, stdout=output, stderr=subprocess.STDOUT
        )
        sampler = Sampler(process.pid)
        sampler.start()
        # Not `process.wait()`: only wait4 tells what this command and its children used.
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    joules = machine.joules(energy, machine.energy())
    sampler.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        last_lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]
        raise CommandFailedError(
            "\n".join([f"this failed: {' '.join(map(str, command))}", *last_lines])
        )
    peak = usage.ru_maxrss * machine.MAXRSS_BYTES
    # The system counts only children that were waited for, and Ray's are not; sampling misses the
    # last second of each process. Neither is ever too large.
    core_seconds = max(usage.ru_utime + usage.ru_stime, sum(sampler.processor_seconds.values()))
    return Measured(seconds, core_seconds, peak / 1e6, max(sampler.together, peak) / 1e6, joules)
