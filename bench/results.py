"""What the figures of a benchmark come to: limits, ratios, targets, and tables of them.

`content` is everywhere what compare.py measured and wrote as JSON. A ratio is taken within a
round, in which the machine was the same; a figure of several rounds is their median.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from output import table
from reference_study import TRAININGS, shared

IN_MEMORY, DATA_LOADER, RAY_TUNE, OPTUNA = "in memory", "DataLoader", "Ray Tune", "Optuna"
PEERS = (IN_MEMORY, RAY_TUNE, OPTUNA, DATA_LOADER)

# Seconds of the whole study on two cores of another machine, and how far the peers' ratios may be
# from theirs before this benchmark has to say why.
SEEN_BEFORE = {DATA_LOADER: 2631.0, IN_MEMORY: 293.0, RAY_TUNE: 307.0}
TOLERANCE = 0.15

Content = dict[str, Any]
Round = dict[str, Any]


def ours(seeds: int) -> str:
    return f"workflow, {seeds} seed{'s' * (seeds > 1)}"


def earlier(commit: str, seeds: int) -> str:
    """The workflow as it was at `commit`."""
    return f"at {commit}, {seeds} seed{'s' * (seeds > 1)}"


def ways(content: Content) -> list[str]:
    """The ways that were measured, in the order of the tables."""
    commit = content.get("against")
    before = [earlier(commit, seeds) for seeds in content["seeds"]] if commit else []
    known = [*map(ours, content["seeds"]), *before, *PEERS]
    return [way for way in known if way in content["rounds"][0]["measured"]]


def values(content: Content, of_round: Callable[[Round], float]) -> list[float]:
    return [of_round(measured) for measured in content["rounds"]]


def measured(content: Content, way: str, quantity: str) -> list[float]:
    return values(content, lambda one: one["measured"][way][quantity])


# The arithmetic limit


def limits(rate: dict[str, float], seeds: int) -> list[dict[str, Any]]:
    """The study's arithmetic, as separate and as shared trainings, at the measured rate.

    Evaluation is stated apart: it is no part of `seconds`, nor of `seconds_at_own_rates`.
    """
    rows = []
    for work, trainings, own_rates in [
        ("separate trainings", TRAININGS, rate["trainings_seconds"]),
        ("equal ones shared", shared(TRAININGS), rate["shared_seconds"]),
    ]:
        flop = seeds * sum(training.flop for training in trainings)
        evaluation_flop = seeds * sum(training.evaluation_flop for training in trainings)
        rows.append(
            {
                "work": work,
                "seeds": seeds,
                "trainings": len(trainings),
                "epochs": seeds * sum(training.epochs for training in trainings),
                "training_tflop": flop / 1e12,
                "evaluation_tflop": evaluation_flop / 1e12,
                "seconds": flop / (1e9 * rate["gflop_per_second"]),
                "seconds_at_own_rates": seeds * own_rates,
            }
        )
    return rows


def limit_seconds(rate: dict[str, float], seeds: int) -> float:
    """The limit of what the workflow trains: equal trainings shared."""
    return limits(rate, seeds)[-1]["seconds"]


def distances(content: Content, seeds: int) -> list[float]:
    """How many times its arithmetic limit the workflow takes."""
    return values(
        content,
        lambda one: one["measured"][ours(seeds)]["seconds"] / limit_seconds(one["rate"], seeds),
    )


# Ratios


def ratio(content: Content, way: str, other: str, factor: float = 1) -> list[float]:
    """`factor` times the seconds of `way`, divided by those of `other`."""
    return values(
        content,
        lambda one: factor * one["measured"][way]["seconds"] / one["measured"][other]["seconds"],
    )


def ratios(content: Content) -> dict[str, list[float]]:
    """The workflow to an earlier commit's; peers to it, as many times as it has seeds; peers."""
    present = ways(content)
    peers = [way for way in present if way in PEERS]
    found = {}
    for seeds in content["seeds"]:
        before = earlier(content.get("against", ""), seeds)
        if before in present:
            found[f"{ours(seeds)} / {before}"] = ratio(content, ours(seeds), before)
    for seeds in content["seeds"]:
        for peer in peers:
            times = f"{seeds} x {peer}" if seeds > 1 else peer
            found[f"{times} / {ours(seeds)}"] = ratio(content, peer, ours(seeds), seeds)
    for peer in peers:
        if peer != IN_MEMORY and IN_MEMORY in peers:
            found[f"{peer} / {IN_MEMORY}"] = ratio(content, peer, IN_MEMORY)
    return found


@dataclass(frozen=True)
class Deviation:
    """A ratio of two peers, here and on the machine it was seen on before."""

    name: str
    here: float
    before: float

    @property
    def relative(self) -> float:
        return self.here / self.before - 1

    @property
    def within(self) -> bool:
        return abs(self.relative) <= TOLERANCE


def deviations(content: Content) -> list[Deviation]:
    present = [way for way in SEEN_BEFORE if way in ways(content)]
    return [
        Deviation(
            f"{way} / {other}",
            statistics.median(ratio(content, way, other)),
            SEEN_BEFORE[way] / SEEN_BEFORE[other],
        )
        for index, way in enumerate(present)
        for other in present[index + 1 :]
    ]


# Targets


@dataclass(frozen=True)
class Target:
    """What is to be reached; `values` has one for each round, none where it was not measured."""

    name: str
    bound: float
    values: Sequence[float]
    at_least: bool = False
    unit: str = ""

    @property
    def value(self) -> float | None:
        return statistics.median(self.values) if self.values else None

    @property
    def verdict(self) -> str:
        if self.value is None:
            return "not measured"
        reached = self.value >= self.bound if self.at_least else self.value <= self.bound
        return "reached" if reached else "not reached"


@dataclass(frozen=True)
class Bounds:
    """What is to be reached on a kind of processor: ratios of times, and seconds."""

    one_seed_before: float
    five_seeds_before: float
    ray_tune: float
    five_times_ray_tune: float
    limit: float
    extension: float


# With AVX-512 there is a faster library than the one that an earlier commit took.
WITH_AVX512 = Bounds(0.55, 0.45, 4, 7, 2, 10)
WITHOUT = Bounds(0.8, 0.85, 2.2, 3, 2.5, 15)


def bounds(content: Content) -> Bounds:
    """Those of the machine that was measured."""
    return WITH_AVX512 if content["machine"].get("instructions") == "AVX-512" else WITHOUT


def targets(content: Content) -> list[Target]:
    """The targets, those of one and of five seeds, whichever were measured."""
    present = ways(content)
    wanted = bounds(content)

    def if_measured(needed: Sequence[str], of: Callable[[], list[float]]) -> list[float]:
        return of() if set(needed) <= set(present) else []

    def faster(peer: str, seeds: int, bound: float) -> Target:
        times = f"{seeds} times " if seeds > 1 else ""
        found = if_measured([peer, ours(seeds)], lambda: ratio(content, peer, ours(seeds), seeds))
        return Target(f"{times}{peer} / {ours(seeds)}", bound, found, at_least=True)

    def sooner(seeds: int, bound: float) -> Iterator[Target]:
        """Against an earlier commit, if there is one."""
        if content.get("against"):
            before = earlier(content["against"], seeds)
            found = if_measured([before, ours(seeds)], lambda: ratio(content, ours(seeds), before))
            yield Target(f"{ours(seeds)} / {before}", bound, found)

    five = [ours(5)]
    extended = [one["extension"] for one in content["rounds"] if one["extension"]]
    return [
        *sooner(1, wanted.one_seed_before),
        *sooner(5, wanted.five_seeds_before),
        Target(
            "five seeds / arithmetic limit",
            wanted.limit,
            if_measured(five, lambda: distances(content, 5)),
        ),
        faster(RAY_TUNE, 1, wanted.ray_tune),
        faster(IN_MEMORY, 1, 2.2),
        faster(DATA_LOADER, 1, 20),
        faster(RAY_TUNE, 5, wanted.five_times_ray_tune),
        faster(IN_MEMORY, 5, 3),
        Target(
            "largest process with five seeds",
            600,
            if_measured(five, lambda: measured(content, ours(5), "peak_mb")),
            unit="MB",
        ),
        Target(
            "report after one more value, beyond its run's epochs",
            wanted.extension,
            [one["seconds"] - one["epochs_seconds"] for one in extended],
            unit="s",
        ),
        Target(
            "plan of the finished study", 3, [one["plan_seconds"] for one in extended], unit="s"
        ),
    ]


# Tables


def _spread(found: Sequence[float], digits: int) -> list[str]:
    summary = (statistics.median(found), min(found), max(found))
    return [f"{number:.{digits}f}" for number in summary]


def times_table(content: Content) -> str:
    """Seconds, core seconds, peak memory and energy of each way, medians over the rounds."""

    def median(way: str, quantity: str, unit: float = 1, digits: int = 0) -> str:
        found = measured(content, way, quantity)
        return "" if None in found else f"{statistics.median(found) / unit:.{digits}f}"

    rows = [
        [
            way,
            *_spread(measured(content, way, "seconds"), 1),
            median(way, "core_seconds"),
            median(way, "peak_mb"),
            median(way, "together_mb"),
            median(way, "joules", 1000, 1) or "cannot be read here",
        ]
        for way in ways(content)
    ]
    header = ["way", "seconds", "least", "most", "core seconds", "largest process (MB)"]
    return table([*header, "all at once (MB)", "energy (kJ)"], rows)


def ratios_table(content: Content) -> str:
    rows = [[name, *_spread(found, 2)] for name, found in ratios(content).items()]
    return table(["seconds of", "median", "least", "most"], rows)


def limits_table(content: Content) -> str:
    """At the median of the rates that the rounds measured."""
    rates = [one["rate"] for one in content["rounds"]]
    numbers = [name for name in rates[0] if name != "library"]
    rate = {name: statistics.median(one[name] for one in rates) for name in numbers}
    cells = [
        [
            row["work"],
            f"{row['seeds']}",
            f"{row['trainings']}",
            f"{row['epochs']}",
            f"{row['training_tflop']:.2f}",
            f"{row['evaluation_tflop']:.2f}",
            f"{row['seconds']:.0f}",
            f"{row['seconds_at_own_rates']:.0f}",
        ]
        for seeds in content["seeds"]
        for row in limits(rate, seeds)
    ]
    header = ["arithmetic", "seeds", "trainings", "epochs", "training TFLOP", "evaluation TFLOP"]
    return table([*header, "limit (s)", "at own rates (s)"], cells)


def distances_table(content: Content) -> str:
    rows = [[ours(seeds), *_spread(distances(content, seeds), 2)] for seeds in content["seeds"]]
    return table(["times its limit", "median", "least", "most"], rows)


def split_seconds(content: Content, seeds: int) -> dict[str, float]:
    """Seconds of each part of the workflow's time, medians over the rounds."""
    rounds = [one["split"][ours(seeds)] for one in content["rounds"]]
    return {part: statistics.median(one[part] for one in rounds) for part in rounds[0]}


def split_table(content: Content) -> str:
    splits = [split_seconds(content, seeds) for seeds in content["seeds"]]
    rows = []
    for part in splits[0]:
        cells = []
        for parts in splits:
            cells += [f"{parts[part]:.1f}", f"{parts[part] / sum(parts.values()):.1%}"]
        rows.append([part, *cells])
    header = [cell for seeds in content["seeds"] for cell in (f"{ours(seeds)} (s)", "share of it")]
    return table(["part", *header], rows)


def targets_table(content: Content) -> str:
    rows = []
    for target in targets(content):
        words = "at least" if target.at_least else "at most"
        found = "" if target.value is None else f"{target.value:.2f} {target.unit}".strip()
        bound = f"{words} {target.bound:g} {target.unit}".strip()
        rows.append([target.name, bound, found, target.verdict])
    return table(["target", "wanted", "median", "verdict"], rows)


def deviations_table(content: Content) -> str:
    rows = [
        [
            deviation.name,
            f"{deviation.here:.2f}",
            f"{deviation.before:.2f}",
            f"{deviation.relative:+.0%}",
            "yes" if deviation.within else "no",
        ]
        for deviation in deviations(content)
    ]
    header = ["peers to each other", "here", "seen before", "deviation"]
    return table([*header, f"within {TOLERANCE:.0%}"], rows)
