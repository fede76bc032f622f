"""For all tests: one fork server, seeds for all generators, and how thoroughly hypothesis looks.

Quickly and alike each time, unless HYPOTHESIS_PROFILE=full.
"""

import os
import random
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

import forkserver

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("quick", max_examples=25, derandomize=True, **COMMON)
settings.register_profile("full", max_examples=1000, print_blob=True, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure() -> None:
    # In the background of a shell's script Ctrl-C is ignored, also by all that the tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Before pytest-xdist's workers start, which share it; it imports nothing until it is asked.
    forkserver.directory()


def pytest_report_header() -> str | None:
    """What of the proofs is left out; a test that is left out as a whole says itself why."""
    if FULL:
        return None
    return (
        "proofs: shortened, with fewer examples, kills, damages, edits and cluster jobs, and with "
        "each language, window and theme, but not in all combinations; in full: make test-full"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Workers take whole files, in this order. First what waits for SLURM while another worker
    # works. Few of the longest, which run the workflow, would come last otherwise, and one worker
    # would wait for the other.
    folders = ("cluster", "workflow")
    items.sort(key=lambda item: [folder not in item.path.parts for folder in folders])


def pytest_runtest_setup() -> None:
    # What a test draws without a seed of its own must not let it pass today and fail tomorrow.
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
