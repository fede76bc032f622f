"""The seam of searches: which configurations come next, given the records so far.

A search proposes in rounds: the workflow trains what it asks for, adds it to the plan, and asks
again, until nothing comes. A search keeps no state: what it proposes follows from the plan and the
records, so that it goes on after a stop, and on another machine, as if there had been none.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from study.spec.plan import Plan, Run
from study.spec.settings import Settings


@dataclass(frozen=True)
class Request:
    """A configuration to train: `settings` (settings.identity), for `epochs` epochs, per seed.

    It names all that is wanted, not what is lacking: a trained configuration that is requested
    again with more epochs or seeds goes on from where it is, and costs no more than these.
    """

    settings: Settings
    epochs: int
    seeds: list[int]


class Search(Protocol):
    """A way of choosing configurations; tests/unit/search/test_search_seam.py holds its promises.

    The requests of a round depend neither on the order of the records, nor on records beyond what
    was requested: other runs, further seeds, later epochs. A run that diverged is trained.
    """

    def propose(self, plan: Plan, metrics: pd.DataFrame) -> list[Request]:
        """The requests of the next round that are not trained yet; none at the search's end.

        Args:
            plan: What has been asked for so far, by the config and by earlier rounds.
            metrics: The rows of metrics.parquet of what is trained so far.
        """
        ...


def request_of(run: Run) -> Request:
    """What a run of the plan asks for."""
    return Request(run.settings, run.epochs, run.seeds)


def requested(plan: Plan, metrics: pd.DataFrame) -> pd.DataFrame:
    """The rows of `metrics` that the plan asks for, without other runs, seeds and later epochs."""
    wanted = pd.DataFrame(
        [(run.run, seed, run.epochs) for run in plan.runs for seed in run.seeds],
        columns=["run", "seed", "until"],
    )
    found = metrics.merge(wanted, on=["run", "seed"])
    return found[found["epoch"] <= found["until"]].drop(columns="until")


def untrained(requests: Iterable[Request], plan: Plan, metrics: pd.DataFrame) -> list[Request]:
    """Those of `requests` that lack an epoch of a seed in `metrics`, or are no run of `plan`."""
    reached: dict[str, dict[int, float]] = {}
    for run, seed, epoch, status in zip(
        *(metrics[column].tolist() for column in ("run", "seed", "epoch", "status")), strict=True
    ):
        # Nothing comes after the epoch in which a replicate diverged.
        end = math.inf if status == "diverged" else epoch
        seeds = reached.setdefault(run, {})
        seeds[seed] = max(end, seeds.get(seed, 0))

    runs: dict[str, list[str]] = {}
    for planned in plan.runs:
        runs.setdefault(_key(planned.settings), []).append(planned.run)

    def is_trained(request: Request) -> bool:
        return any(
            all(reached.get(run, {}).get(seed, 0) >= request.epochs for seed in request.seeds)
            for run in runs.get(_key(request.settings), [])
        )

    return [request for request in requests if not is_trained(request)]


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)
