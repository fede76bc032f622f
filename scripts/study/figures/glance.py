"""The study at a glance: every value of every experiment on one axis, the largest effect first."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from study.figures import drawing
from study.figures.drawing import MUTED, TIMES, UNORDERED
from study.figures.experiment_data import VariedSetting
from study.results import findings
from study.results.experiments import ExperimentResult, ValueResult
from study.spec import settings
from study.spec.plan import Plan
from study.statistics.intervals import ROUNDING
from study.support.language import SCORE_DIGITS, Language

NAME = "glance"

# Rows that a phone shows at once, and the figure's width: on one of 390 pixels, 9 points come out
# at 10 pixels.
MOST_ROWS = 25
WIDTH = 4.6  # inches, as all sizes here
ROW_HEIGHT = 0.185
AROUND = 1.5  # title, axis and notes

# Characters of a value's name, and of a setting's within the axes.
MOST_OF_NAME, MOST_OF_TITLE = 22, 38

# The axis goes so many times as far below the best mean as the median of the means lies: a value
# that learned nothing would press all others together.
FARTHEST = 4.0

BAND = {"color": UNORDERED[5], "alpha": 0.25, "lw": 0, "zorder": 0.5}


@dataclass(frozen=True)
class Group:
    """What is shown of an experiment: some of its values, in their order, and how many are not.

    `effect` is how far the best is ahead of the worst, NaN where there are no two.
    """

    experiment: ExperimentResult
    effect: float
    values: list[ValueResult]

    @property
    def left_out(self) -> int:
        return len(self.experiment.values) - len(self.values)

    @property
    def rows(self) -> int:
        """How many it takes below its heading."""
        return len(self.values) + bool(self.left_out)

    @property
    def best(self) -> ValueResult | None:
        return self.experiment.best


@dataclass(frozen=True)
class Glance:
    """All that the figure shows: groups by effect, and how many experiments are left out.

    `apart` is how far two trainings of one configuration may lie apart, as the report tells it, and
    `baseline` the score of the baseline; NaN where they are not known. `seeds` are how few and how
    many a value has.
    """

    groups: list[Group]
    left_out: int
    apart: float
    baseline: float
    seeds: tuple[int, int]

    @property
    def values(self) -> list[ValueResult]:
        return [value for group in self.groups for value in group.values]

    @property
    def scores(self) -> np.ndarray:
        """Measured and published, (values, 2); NaN where there is none."""
        told = [(each.validation.mean, each.validation.published) for each in self.values]
        return np.array(told, float)


def collect(plan: Plan, found: Sequence[ExperimentResult]) -> Glance:
    """What came out of the experiments of `plan`."""
    groups = sorted(
        (Group(each, _effect(each), each.values) for each in found),
        key=lambda group: -np.nan_to_num(group.effect, nan=-1.0),
    )
    groups = _cut(groups, plan)
    scatter = findings.scatter(found)
    of_baseline = (
        value.validation.mean
        for each in found
        for value in each.values
        if each.settings_of(value) == plan.baseline
    )
    return Glance(
        groups=groups,
        left_out=len(found) - len(groups),
        apart=scatter.apart if scatter else math.nan,
        baseline=next(of_baseline, math.nan),
        seeds=plan.seeds_of_values,
    )


def _effect(experiment: ExperimentResult) -> float:
    spread = findings.spread(experiment)
    return spread.size if spread else math.nan


def _cut(groups: list[Group], plan: Plan) -> list[Group]:
    """As many groups and values as are shown: first the longest are cut, then the last left out."""
    groups = list(groups)
    for place in sorted(range(len(groups)), key=lambda i: -len(groups[i].values)):
        if sum(group.rows for group in groups) <= MOST_ROWS:
            break
        groups[place] = min(groups[place], _ends(groups[place], plan), key=lambda each: each.rows)
    while sum(group.rows for group in groups) > MOST_ROWS:
        groups.pop()
    return groups


def _ends(group: Group, plan: Plan) -> Group:
    """The best and the worst value, and the baseline's."""
    experiment = group.experiment
    told = [*experiment.contenders[:1], *experiment.contenders[-1:]] or experiment.values[:1]
    told += [each for each in group.values if experiment.settings_of(each) == plan.baseline]
    return replace(group, values=[value for value in group.values if value in told])


def draw(glance: Glance, language: Language, folder: Path) -> None:
    """Write glance.<language>.png and .svg to `folder`."""
    rows = sum(1 + group.rows for group in glance.groups)
    height = AROUND + ROW_HEIGHT * rows
    title = language.text("figures.glance.title")
    note = " ".join(_notes(glance, language))
    with drawing.sheet(height, title, note, WIDTH) as figure:
        axes = figure.subplots()
        low, high = limits(glance.scores, glance.apart)
        axes.set_xlim(low, high)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.grid(False, axis="y")
        axes.spines["left"].set_visible(False)
        names, place = [], 0
        for group in glance.groups:
            place = _draw_group(axes, group, glance, place, names, language)
        if math.isfinite(glance.baseline):
            axes.axvline(glance.baseline, color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=0.8)
        axes.set_yticks([y for y, _ in names], [name for _, name in names])
        axes.tick_params("y", length=0)
        axes.set_xlabel(language.text("figures.glance.axis"))
        drawing.use_numbers(axes, language, "x", percent=language.scores_in_percent)
        drawing.save(figure, folder, NAME, language)


def _draw_group(
    axes: Axes,
    group: Group,
    glance: Glance,
    place: int,
    names: list[tuple[float, str]],
    language: Language,
) -> int:
    """Draw a heading and a row a value from row `place` on; give the row after them."""
    inside = axes.get_yaxis_transform()
    bold = {"transform": inside, "va": "center", "weight": "bold"}
    axes.text(0.0, place, title_of(group.experiment, language), **bold)
    if math.isfinite(group.effect):
        effect = language.text("figures.glance.effect", size=points(group.effect, language))
        axes.text(1.0, place, effect, ha="right", **bold)
    first = place + 1
    for place, value in enumerate(group.values, first):
        names.append((place, name_of(group.experiment, value, language)))
        _draw_value(axes, value, place, value is group.best, language)
    if group.best and glance.apart > 0:
        best = group.best.validation.mean
        axes.fill_betweenx([first - 0.5, place + 0.5], best - glance.apart, best, **BAND)
    if group.left_out:
        place += 1
        text = language.text("figures.glance.left_out", n=language.number(group.left_out))
        names.append((place, text))
    return place + 1


def _draw_value(axes: Axes, value: ValueResult, y: int, is_best: bool, language: Language) -> None:
    found, (left, _) = value.validation, axes.get_xlim()
    colour = UNORDERED[0] if is_best else MUTED
    if value.n and found.mean < left:
        axes.plot(left, y, marker=4, color=colour, ms=6, clip_on=False)
    elif value.n:
        axes.plot([found.low, found.high], [y, y], color=colour, lw=1.6)
        if found.low < left:
            axes.plot(left, y, marker=4, color=colour, ms=5, clip_on=False)
        axes.plot(found.mean, y, "o", color=colour, mec="white", mew=0.6, ms=7 if is_best else 5.5)
    if found.published >= left:
        axes.plot(found.published, y, "D", mfc="none", mec=UNORDERED[1], ms=7.5, zorder=1.9)
    told = [points(found.mean, language)] if value.n else []
    if value.diverged:
        told.append(f"{TIMES}{value.diverged}/{value.n + value.diverged}")
    axes.annotate(
        " ".join(told),
        (1.0, y),
        xytext=(6, 0),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        va="center_baseline",
        weight="bold" if is_best else "normal",
        annotation_clip=False,
    )


def limits(scores: np.ndarray, apart: float = math.nan) -> tuple[float, float]:
    """The ends of an axis for all `scores`, of any shape, but those far below the best.

    NaN are none. From the best on, it goes down by `apart` at least.
    """
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return 0.0, 1.0
    low, high = scores.min(), scores.max()
    noise = np.nan_to_num(apart)
    farthest = FARTHEST * max(high - np.median(scores), noise)
    # Where half of all are as good as the best, nothing tells what is far.
    if farthest > ROUNDING:
        low = max(low, high - farthest)
    low = min(low, high - noise)
    margin = 0.06 * (high - low) if high - low > ROUNDING else 0.01
    return low - margin, high + margin


def _notes(glance: Glance, language: Language) -> Iterator[str]:
    def note(name: str, **about: str) -> str:
        return language.text(f"figures.glance.{name}", **about)

    if max(glance.seeds) == 1:
        yield note("one_seed")
    else:
        yield note("intervals", seeds=drawing.seeds(language, *glance.seeds))
    if glance.apart > 0:
        yield note("noise", apart=points(glance.apart, language))
    if math.isfinite(glance.baseline):
        yield note("baseline")
    if any(math.isfinite(value.validation.published) for value in glance.values):
        yield note("published")
    if any(value.diverged for value in glance.values):
        yield note("diverged", times=TIMES)
    if glance.left_out:
        yield note("experiments_left_out", n=language.number(glance.left_out))


def points(score: float, language: Language) -> str:
    """A score or a difference of scores, without a sign of per cent."""
    if language.scores_in_percent:
        return language.number(100 * score, 2)
    return language.number(score, SCORE_DIGITS)


def title_of(experiment: ExperimentResult, language: Language) -> str:
    """What an experiment varies; one with another name than its setting's, its name."""
    if len(experiment.keys) > 1 or experiment.keys != [experiment.name]:
        title = experiment.name.replace("_", " ")
        return _short(title[0].upper() + title[1:], MOST_OF_TITLE)
    return _short(language.text(f"settings.{experiment.keys[0]}.title"), MOST_OF_TITLE)


def name_of(experiment: ExperimentResult, value: ValueResult, language: Language) -> str:
    names = [
        VariedSetting(key, [varied], [settings.text(varied)]).names(language)[0]
        for key in experiment.keys
        for varied in [value.varied[key]]
    ]
    return _short(" · ".join(names), MOST_OF_NAME)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
