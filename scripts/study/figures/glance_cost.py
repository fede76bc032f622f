"""What accuracy costs: the score of every value against its time of training and its parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from study.data.base import Data
from study.data.scaling import of_inputs
from study.figures import drawing, glance
from study.figures.drawing import MUTED, UNORDERED
from study.results.costs import Cost, Costs
from study.runs import models
from study.spec.plan import Plan
from study.support.language import Language

NAME = "glance_cost"

PANEL, AROUND = 2.4, 1.1  # inches
KEY_LINE = 0.165

# Values of the front that are named: of more, the best.
MOST_NAMED = 8

# Costs further apart than so many times are on a logarithmic axis.
WIDEST = 8

BEST, CHEAPEST = UNORDERED[0], UNORDERED[2]


@dataclass(frozen=True)
class CostData:
    """The values with their costs, and how many parameters the network of each has.

    `apart` is how far two trainings of one configuration may lie apart, NaN where it is not known.
    """

    costs: Costs
    parameters: dict[Cost, int]
    plan: Plan
    apart: float

    @property
    def panels(self) -> list[tuple[str, dict[Cost, float]]]:
        """What the costs are, by value: parameters only where networks differ in them."""
        unit = "seconds" if self.costs.in_seconds else "epochs"
        found = [(unit, {each: each.cost for each in self.costs.values})]
        if len(set(self.parameters.values())) > 1:
            found.append(("parameters", {each: float(n) for each, n in self.parameters.items()}))
        return found


def collect(plan: Plan, found: Costs, data: Data, apart: float) -> CostData:
    """Count the parameters of what was trained on `data`; imports torch for a user's module."""
    shape = (data.inputs, len(data.targets), of_inputs(data.train.x))
    known: dict[str, int] = {}
    for each in found.values:
        settings = each.experiment.settings_of(each.value)
        if each.value.run not in known:
            known[each.value.run] = models.architecture(plan.model, settings, *shape).parameters
    parameters = {each: known[each.value.run] for each in found.values}
    return CostData(found, parameters, plan, apart)


def draw(found: CostData | None, language: Language, folder: Path) -> None:
    """Write glance_cost.<language>.png and .svg to `folder`; None is that every seed diverged."""
    title = language.text("figures.cost.title")
    if found is None:
        with drawing.sheet(1.0, title, language.text("figures.cost.nothing"), glance.WIDTH) as it:
            drawing.save(it, folder, NAME, language)
        return
    key = [*_key(found, language)]
    note = "\n".join([*key, language.text("figures.cost.note")])
    panels = found.panels
    height = AROUND + PANEL * len(panels) + KEY_LINE * (len(key) + 3)
    with drawing.sheet(height, title, note, glance.WIDTH) as figure:
        axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
        for panel, (unit, costs) in zip(axes, panels, strict=True):
            scores = np.array([each.score for each in found.costs.values])
            panel.set_ylim(*glance.limits(scores, found.apart))
            _draw(panel, found.costs, costs, language, numbered=panel is axes[0])
            panel.set_xlabel(language.text(f"figures.cost.{unit}"))
        drawing.save(figure, folder, NAME, language)


def _draw(
    axes: Axes, found: Costs, costs: dict[Cost, float], language: Language, numbered: bool
) -> None:
    """Every value's score over its cost, those that no cheaper one reaches joined by a line."""
    low, _ = axes.get_ylim()
    cheapest, _ = found.cheapest
    for each in reversed(found.values):
        x, validation = costs[each], each.value.validation
        colour = {cheapest: CHEAPEST, found.best: BEST}.get(each, MUTED)
        if each.score < low:
            axes.plot(x, low, marker=7, color=colour, ms=6, clip_on=False)
            continue
        axes.plot([x, x], [validation.low, validation.high], color=colour, lw=1.2)
        axes.plot(x, each.score, "o", color=colour, mec="white", mew=0.6, ms=6)
    front = found.front_by(costs)
    axes.step(
        [costs[each] for each in front],
        [each.score for each in front],
        where="post",
        color=BEST,
        lw=0.9,
        zorder=1,
    )
    if numbered:
        for number, each in enumerate(front[-MOST_NAMED:], 1):
            axes.annotate(
                str(number),
                (costs[each], max(each.score, low)),
                xytext=(-4, 4),
                textcoords="offset points",
                ha="right",
                weight="bold",
            )
    _use_costs(axes, np.array(list(costs.values())), language)
    axes.set_ylabel(language.text("figures.cost.score"))
    drawing.use_numbers(axes, language, percent=language.scores_in_percent)


def _use_costs(axes: Axes, costs: np.ndarray, language: Language) -> None:
    least, most = costs.min(), costs.max()
    if 0 < WIDEST * least < most:
        axes.set_xscale("log")
        axes.set_xlim(least / 1.3, most * 1.3)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_locator(FixedLocator(drawing.log_ticks(least / 1.3, most * 1.3)))
    else:
        margin = 0.08 * (most - least) or 0.1 * most or 1.0
        axes.set_xlim(least - margin, most + margin)
    drawing.use_numbers(axes, language, "x")


def _key(found: CostData, language: Language) -> Iterator[str]:
    """What the numbers beside the front stand for, and the cheapest as good as the best."""
    cheapest, _ = found.costs.cheapest
    front = found.costs.front[-MOST_NAMED:]
    for number, each in enumerate(front, 1):
        yield f"{number}  {_told(found, each, language)}"
    if cheapest is not found.costs.best and found.costs.is_tested:
        yield language.text("figures.cost.cheapest", value=_told(found, cheapest, language))


def _told(found: CostData, each: Cost, language: Language) -> str:
    settings = each.experiment.settings_of(each.value)
    if settings == found.plan.baseline:
        name = language.text("figures.cost.baseline")
    else:
        title = glance.title_of(each.experiment, language)
        name = f"{title} {glance.name_of(each.experiment, each.value, language)}"
    unit = "seconds" if found.costs.in_seconds else "epochs"
    digits = 1 if found.costs.in_seconds else 0
    return language.text(
        f"figures.cost.told.{unit}",
        name=name,
        score=glance.points(each.score, language),
        cost=language.number(each.cost, digits),
    )
