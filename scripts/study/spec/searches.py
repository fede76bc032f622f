"""Searches: settings that a sampler draws from a space, step by step; each draw is a trial.

A search's first steps draw trials. Successive halving then goes on with the best of them for more
epochs, and the steps after that repeat fewer and fewer of these with further seeds, until `confirm`
have all. Each step leaves a file, results/search/<search>/<step>.json, with what it asks for.

An experiment that adds seeds where its answer is not clear goes step by step too, and leaves its
files in the same place.
"""

import functools
import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from study.spec.settings import Settings
from study.support.files import read_text

# Folder of results/.
FOLDER = Path("search")

# The text of the file of a search's step; None where there is none.
History = Callable[[str, str], str | None]


@dataclass(frozen=True)
class Step:
    """What a search does in one round.

    It draws so many new trials (`drawn`), or else goes on with so many (`kept`), the best of those
    that the step before asked for; for `epochs` epochs, with the seeds `seeds`. An experiment goes
    on with `kept` of its values at most, each for its own epochs.
    """

    name: str
    drawn: int
    kept: int
    epochs: int
    seeds: list[int]


@dataclass(frozen=True)
class Trial:
    """A draw: what it sets, in which step it was drawn, and how much of its `run` is asked for."""

    number: int
    step: str
    settings: Settings
    run: str
    epochs: int
    seeds: list[int]


@dataclass(frozen=True)
class Taken:
    """A step that was taken: the trials that it drew, and the numbers of those it asked for.

    `of` is the digest of the search up to it (Search.digest).
    """

    of: str
    drawn: list[Trial]
    asked: list[int]

    def to_json(self) -> str:
        """The step as its file holds it."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """What `to_json` wrote; TypeError, KeyError or AttributeError where it is none."""
        drawn = [Trial(**trial) for trial in content["drawn"]]
        return cls(content["of"], drawn, [int(number) for number in content["asked"]])


@dataclass(frozen=True)
class EarlierTrial:
    """One of another study, that the sampler knows: what it set, and its score."""

    settings: Settings
    score: float


@dataclass(frozen=True)
class Stepwise(ABC):
    """What goes on step by step, by how what it has asked for so far came out.

    Attributes:
        settings: What all that it asks for starts from, complete.
        steps: All of its steps, in order.
        taken: Those that have been taken, from the first on.
    """

    name: str
    settings: Settings
    steps: list[Step] = field(default_factory=list, kw_only=True)
    taken: list[Taken] = field(default_factory=list, kw_only=True)

    @property
    @abstractmethod
    def trials(self) -> list[Trial]:
        """What it asks for so far, each as far as it has been asked for."""

    @property
    def is_finished(self) -> bool:
        """Whether all steps have been taken, though perhaps not trained."""
        return len(self.taken) == len(self.steps)

    def asked_by(self, step: str) -> list[Trial]:
        """What the step asks for: its trials, with the epochs and seeds of then."""
        index = next(number for number, each in enumerate(self.steps) if each.name == step)
        then = replace(self, taken=self.taken[: index + 1])
        asked = set(self.taken[index].asked)
        return [trial for trial in then.trials if trial.number in asked]

    def until(self, step: str) -> Self:
        """The same until this step, of which none is taken yet."""
        index = next(number for number, each in enumerate(self.steps) if each.name == step)
        return replace(self, steps=self.steps[: index + 1], taken=[])

    @property
    def identity(self) -> dict[str, Any]:
        """All that its last step follows from, but for the records."""
        return dict(vars(replace(self, taken=[])))

    @property
    def digest(self) -> str:
        """Of its identity."""
        # `asdict` would copy every step, of which there may be hundreds, of each of them.
        known = json.dumps(self.identity, default=vars, sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest()[:16]

    def with_history(self, history: History, run_of: Callable[[Settings], str]) -> Self:
        """With the steps that its files say were taken, as far as they are its own.

        `run_of` gives the name of the run of what a trial sets.
        """
        taken: list[Taken] = []
        for step in self.steps:
            found = parse(history(self.name, step.name))
            drawn = found.drawn if found else []
            if (
                found is None
                or found.of != self.until(step.name).digest
                or any(trial.run != run_of(trial.settings) for trial in drawn)
            ):
                break
            taken.append(found)
        return replace(self, taken=taken)


@dataclass(frozen=True)
class Search(Stepwise):
    """A search, and how far it has come.

    Attributes:
        space: For each varied setting the list of its choices, or the keys low, high, log and step.
        sampler: One of tpe, gp, qmc, random and grid.
        seed: That of the sampler.
        earlier: Trials of another study, which the sampler knows before all of its own.
    """

    space: Mapping[str, Any]
    sampler: str
    seed: int
    earlier: list[EarlierTrial] = field(default_factory=list, kw_only=True)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what a plan's file holds."""
        earlier = [EarlierTrial(**trial) for trial in content.get("earlier", [])]
        return cls(**{**content, **steps_from_json(content), "earlier": earlier})

    @property
    def identity(self) -> dict[str, Any]:
        """All that it is; without earlier trials, as of the time before there could be some."""
        known = super().identity
        if not self.earlier:
            del known["earlier"]
        return known

    @property
    def epochs(self) -> int:
        """Epochs of a whole training."""
        return self.steps[-1].epochs

    @property
    def seeds(self) -> list[int]:
        """All seeds, which the last step's trials have."""
        return self.steps[-1].seeds

    @property
    def trials(self) -> list[Trial]:
        """Those drawn so far, each as far as it has been asked for."""
        found: dict[int, Trial] = {}
        for step, taken in zip(self.steps, self.taken, strict=False):
            # Drawn for the epochs and with the seeds of their step.
            found |= {trial.number: trial for trial in taken.drawn}
            for number in () if taken.drawn else taken.asked:
                found[number] = replace(found[number], epochs=step.epochs, seeds=step.seeds)
        return list(found.values())

    @property
    def most_trials(self) -> int:
        """How many it draws, unless its space ends before."""
        return sum(step.drawn for step in self.steps)

    @property
    def epochs_to_come(self) -> int:
        """Epochs that the steps not taken yet train at most, counting those of every seed."""
        found = 0
        for number in range(len(self.taken), len(self.steps)):
            step = self.steps[number]
            before = None if step.drawn else self.steps[number - 1]
            known = before.epochs * len(before.seeds) if before else 0
            found += (step.drawn or step.kept) * (step.epochs * len(step.seeds) - known)
        return found


def steps_of(
    trials: int,
    parallel: int,
    epochs: int,
    seeds: Sequence[int],
    halving: Mapping[str, int] | None,
    confirm: int,
) -> list[Step]:
    """The steps of a search of so many `trials`, drawn `parallel` at a time.

    Rungs lie at `min_epochs`, times `reduction_factor`, up to `epochs`; each keeps the best
    1/reduction_factor of the one before, and `confirm` at least. Of the last rung's trials, ever
    fewer are trained with one seed more, down to `confirm`: most are left out at once, since one
    seed tells the good from the bad, and it takes several to tell the best from the good.
    """
    rungs = [epochs]
    if halving:
        rungs = [halving["min_epochs"]]
        while rungs[-1] < epochs:
            rungs.append(min(rungs[-1] * halving["reduction_factor"], epochs))
    first, steps = list(seeds[:1]), []
    for start in range(0, trials, parallel):
        name = f"trials-{start // parallel + 1:04d}"
        steps.append(Step(name, min(parallel, trials - start), 0, rungs[0], first))
    left = trials
    for rung in rungs[1:]:
        left = min(left, max(left // halving["reduction_factor"] if halving else left, confirm))
        steps.append(Step(f"epochs-{rung:04d}", 0, left, rung, first))
    last = min(confirm, left)
    for count in range(2, len(seeds) + 1):
        kept = round(left * (last / left) ** math.sqrt((count - 1) / (len(seeds) - 1)))
        steps.append(Step(f"seeds-{count:04d}", 0, kept, epochs, list(seeds[:count])))
    return steps


def steps_from_json(content: Mapping[str, Any]) -> dict[str, Any]:
    """The steps that a plan's file holds of what goes step by step."""
    return {
        "steps": [Step(**step) for step in content["steps"]],
        "taken": list(map(Taken.from_json, content["taken"])),
    }


def parse(text: str | None) -> Taken | None:
    """The step that `Taken.to_json` wrote as `text`; None where it is none."""
    try:
        return Taken.from_json(json.loads(text or "null"))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def path_of(search: str, step: str) -> Path:
    """Where in results/ the file of a step lies."""
    return FOLDER / search / f"{step}.json"


def path_of_trials(search: str) -> Path:
    """Where in results/ the table of a search's trials lies."""
    return FOLDER / search / "trials.parquet"


def importance_of(search: str) -> Path:
    """Where in results/ the table of the settings' importance lies."""
    return FOLDER / search / "importance.parquet"


def history_in(results: Path) -> History:
    """The history that lies in the folder `results`; a file is read again where it is another."""

    @functools.cache
    def read(path: Path, stamp: tuple[int, ...]) -> str:
        return read_text(path)

    def text(search: str, step: str) -> str | None:
        path = results / path_of(search, step)
        try:
            status = path.stat()
            return read(path, (status.st_ino, status.st_size, status.st_mtime_ns))
        except (OSError, UnicodeDecodeError):
            return None

    return text
