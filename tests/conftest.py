"""For all tests: one fork server, and how thoroughly hypothesis looks.

Quickly and alike each time, unless HYPOTHESIS_PROFILE=full.
"""

import os

from hypothesis import HealthCheck, settings

import forkserver

COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("quick", max_examples=50, derandomize=True, **COMMON)
settings.register_profile("full", max_examples=1000, print_blob=True, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_configure() -> None:
    # Before pytest-xdist's workers start, which share it; it imports nothing until it is asked.
    forkserver.directory()
