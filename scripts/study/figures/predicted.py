"""What the final model predicts, as points: against what is true, and what it is off by."""

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure

from study.data.base import Quantities
from study.figures import drawing
from study.final.predictions import Predictions
from study.support.language import Language

# Of more targets the first are drawn, and of more examples so many, evenly spread over the file.
MOST_TARGETS = 6
MOST_POINTS = 2000

MOST_ACROSS = 3
POINT = {"s": 14, "alpha": 0.5, "linewidths": 0, "color": drawing.UNORDERED[0]}
EQUAL = {"color": drawing.MUTED, "lw": 1, "ls": (0, (4, 3)), "zorder": 1}


def left_out(found: Predictions, language: Language) -> Iterator[str]:
    """Notes on what is not drawn."""
    count, targets = found.targets.shape
    for what, n, most in (("points", count, MOST_POINTS), ("targets", targets, MOST_TARGETS)):
        if n > most:
            numbers = {"n": language.number(most), "count": language.number(n)}
            yield language.text(f"figures.some_{what}", **numbers)


def height_of_panels(targets: int) -> float:
    """The height, in inches, of a figure with a square for each target."""
    across, down = _grid(targets)
    return 0.9 + down * min(4.6, drawing.WIDTH / across)


def height_of_rows(targets: int) -> float:
    """The height, in inches, of a figure with a row for each target."""
    return 1.2 + 2.6 * min(targets, MOST_TARGETS)


def _grid(targets: int) -> tuple[int, int]:
    shown = min(targets, MOST_TARGETS)
    across = min(shown, MOST_ACROSS)
    return across, math.ceil(shown / across)


def draw_against_true(
    figure: Figure, found: Predictions, targets: Quantities, language: Language
) -> None:
    """A square for each target: predicted over true, and the line on which both are equal."""
    across, down = _grid(len(targets))
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    points = _points(found)
    for axes in panels:
        axes.set_axis_off()
    for axes, place, name in zip(panels, range(MOST_TARGETS), _names(targets), strict=False):
        axes.set_axis_on()
        true, predicted = found.targets[points, place], found.ensemble.answers[0][points, place]
        ends = _ends(np.concatenate([true, predicted]))
        axes.plot(ends, ends, label=language.text("figures.equal"), **EQUAL)
        axes.scatter(true, predicted, **POINT)
        axes.set(xlim=ends, ylim=ends, aspect="equal")
        axes.set_xlabel(language.text("figures.quantity_true", target=name))
        axes.set_ylabel(language.text("figures.quantity_predicted", target=name))
        for which in "xy":
            drawing.use_numbers(axes, language, which)
        axes.legend(loc="upper left")


def draw_residuals(
    figure: Figure, found: Predictions, targets: Quantities, language: Language
) -> None:
    """A row for each target: predicted minus true over predicted, and how often each comes."""
    shown = min(len(targets), MOST_TARGETS)
    rows = figure.subplots(shown, 2, squeeze=False, sharey="row", width_ratios=(3, 1))
    points = _points(found)
    for (left, right), place, name in zip(rows, range(shown), _names(targets), strict=False):
        off = found.residuals[:, place]
        left.axhline(0, **EQUAL)
        left.scatter(found.ensemble.answers[0][points, place], off[points], **POINT)
        left.set_xlabel(language.text("figures.quantity_predicted", target=name))
        left.set_ylabel(language.text("figures.quantity_residual", target=name))
        right.axhline(0, **EQUAL)
        right.hist(off, bins="auto", orientation="horizontal", color=POINT["color"], alpha=0.5)
        right.set_xlabel(language.text("figures.counted_images"))
        for axes in (left, right):
            drawing.use_numbers(axes, language, "x")
        drawing.use_numbers(left, language)


def _points(found: Predictions) -> np.ndarray:
    """The places of the examples drawn."""
    count = len(found.targets)
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))


def _names(targets: Quantities) -> list[str]:
    pairs = zip(targets.names, targets.units, strict=True)
    return [f"{name} ({unit})" if unit else name for name, unit in pairs]


def _ends(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin
