"""What all figures share: style, colours, numbers on axes, layout, and files of the same bytes."""

import contextlib
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.colors import to_rgb as rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator, Formatter

from study.spec.tasks import bounds_of
from study.statistics.intervals import t_interval
from study.support.files import atomic_path
from study.support.language import Language

# A page shows 10 inches in about 1000 pixels, so that 9 points come out at 12 to 13 pixels.
WIDTH = 10.0
DPI = 150

# Characters that a line of a note has at most: more reach beyond the page.
NOTE_WIDTH = 155

INK = "#222222"
MUTED = "#6b6b6b"
GRID = "#e4e4e4"

# The palette of Okabe and Ito, told apart with any colour vision; without its yellow, too light
# for a line on white.
UNORDERED = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")

# A loss on its way to infinity is followed up to here when there is nothing else to show (nats).
FARTHEST = 10.0

CELLS_WIDTH = 270  # points across a heatmap of which two stand side by side

TIMES = "\N{MULTIPLICATION SIGN}"

# Up to so many rows and columns of a heatmap are named one by one, and all rows have their height.
MOST_ROWS, MOST_COLUMNS = 30, 18

# Up to this many lines are named one by one; more are told by a colour bar.
MOST_LABELS = 12

STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    # A dollar sign in a class's name is one.
    "text.parse_math": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "study",
}


@contextlib.contextmanager
def sheet(height: float, title: str, note: str = "", width: float = WIDTH) -> Iterator[Figure]:
    """Yield an empty figure of `height` inches, and of the page's width or `width`, in house style.

    The title stands at the top left and the note, if there is one, at the bottom left. Draw and
    `save` within the block: the style holds only there.
    """
    with mpl.rc_context({**mpl.rcParamsDefault, **STYLE, "backend": "agg"}):
        figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0)
        figure.suptitle(
            textwrap.fill(title, round(94 * width / WIDTH)),
            x=0.01,
            ha="left",
            fontsize=12.5,
            fontweight="bold",
        )
        if note:
            most = round(NOTE_WIDTH * width / WIDTH)
            note = "\n".join(textwrap.fill(line, most) for line in note.splitlines())
            figure.supxlabel(note, x=0.01, ha="left", fontsize=8.5, color=MUTED, linespacing=1.4)
        yield figure


def settle(figure: Figure) -> None:
    """Lay the figure out for good, so that what comes after can go by the axes' final places."""
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")


def files(folder: Path, name: str, code: str) -> list[Path]:
    """The files of a figure in the language `code`: PNG and SVG."""
    return [folder / f"{name}.{code}.{form}" for form in ("png", "svg")]


def save(figure: Figure, folder: Path, name: str, language: Language) -> None:
    """Write <folder>/<name>.<language>.png and .svg, with the same bytes for the same figure."""
    png, svg = files(folder, name, language.code)
    with atomic_path(png) as temporary:
        FigureCanvasAgg(figure).print_png(temporary, metadata={"Software": None})
    figure.set_layout_engine("none")  # it is laid out by now, and need not be once more
    with atomic_path(svg) as temporary:
        FigureCanvasSVG(figure).print_svg(temporary, metadata={"Date": None, "Creator": None})


def sequential(n: int) -> list[tuple[float, float, float]]:
    """`n` colours from first to last value: viridis without its light end."""
    places = np.linspace(0.0, 0.82, n) if n > 1 else [0.3]
    return [rgb(mpl.colormaps["viridis"](place)) for place in places]


def unordered(n: int) -> list[tuple[float, float, float]]:
    """`n` colours without an order, repeated when there are more than the palette has."""
    return [rgb(UNORDERED[i % len(UNORDERED)]) for i in range(n)]


class NumberFormatter(Formatter):
    """Tick labels in a language's form, with just the decimals that tell the ticks apart.

    With `percent`, fractions as percentages, and no label where a fraction cannot be.
    """

    def __init__(self, language: Language, percent: bool = False):
        self._write = language.percent if percent else language.number
        self._is_percent = percent
        self._digits = 0

    def set_locs(self, locs: Sequence[float]) -> None:
        """Take the decimals from the places of the ticks."""
        super().set_locs(locs)
        ticks = (100 if self._is_percent else 1) * np.unique(locs)
        self._digits = next(
            (digits for digits in range(8) if np.allclose(ticks, ticks.round(digits), 0, 1e-9)), 8
        )

    def __call__(self, x: float, pos: int | None = None) -> str:
        if self._is_percent and not 0 <= x <= 1:
            return ""
        return self._write(x, self._digits)


def use_numbers(axes: Axes, language: Language, which: str = "y", percent: bool = False) -> None:
    """Write the numbers of an axis in a language's form, or as percentages."""
    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_formatter(NumberFormatter(language, percent))


def use_measure(axes: Axes, language: Language, measure: str, which: str = "y") -> None:
    """Write the numbers of an axis as those of a measure are: accuracies as percentages."""
    use_numbers(axes, language, which, percent=measure.endswith("accuracy"))


def use_epochs(axes: Axes, last: int, language: Language) -> None:
    """Make the x axis count whole epochs from 1 to `last`."""
    step = next(
        step
        for power in range(9)
        for step in (10**power, 2 * 10**power, 5 * 10**power)
        if last / step <= 9
    )
    ticks = np.unique([1, *range(step, last + 1, step)])
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    use_numbers(axes, language, "x")
    margin = 0.02 * max(last - 1, 1)
    axes.set_xlim(1 - margin, last + margin)
    axes.set_xlabel(language.text("figures.epoch"))


def label_line_ends(axes: Axes, ends: Sequence[tuple[float, str, object]]) -> list[Text]:
    """Write each line's name at its right end: (y, name, colour) in data coordinates.

    An end outside the axes' limits is named at the edge. The names keep to the height of their
    line's end until `spread` moves them apart.
    """
    low, high = axes.get_ylim()
    return [
        axes.annotate(
            name,
            (1.0, np.clip(np.nan_to_num(y, nan=high), low, high)),
            xytext=(6, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            color=readable(colour),
            annotation_clip=False,
        )
        for y, name, colour in ends
    ]


def spread(axes: Axes, labels: Sequence[Text]) -> None:
    """Move line end labels up and down until none overlaps another; call it after `settle`."""
    if not labels:
        return
    points = 72 / axes.figure.dpi
    bottom, top = (axes.transAxes.transform([(0, 0), (0, 1)])[:, 1]) * points
    heights = [axes.transData.transform((0, label.xy[1]))[1] * points for label in labels]
    gap = min(1.25 * labels[0].get_fontsize(), (top - bottom) / max(len(labels) - 1, 1))
    for label, now, then in zip(labels, heights, apart(heights, gap, bottom, top), strict=True):
        label.xy = (1.0, axes.transData.inverted().transform((0, now / points))[1])
        label.set_position((6, then - now))


def apart(places: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """The places nearest to `places`, in their order, at least `gap` apart within [low, high].

    Neighbours that are too near each other become a block around their common middle; blocks
    that touch are joined. `gap` times (number of places - 1) must fit between `low` and `high`.
    """
    order = np.argsort(places, kind="stable")
    blocks: list[list[float]] = []  # [sum of the wished-for starts, number of places]
    for place in np.asarray(places, float)[order]:
        blocks.append([place, 1])
        while len(blocks) > 1 and _start(blocks[-2], gap, low, high) + gap * blocks[-2][1] > _start(
            blocks[-1], gap, low, high
        ):
            wished, count = blocks.pop()
            before = blocks[-1]
            before[0] += wished - gap * before[1] * count
            before[1] += count
    moved = np.empty(len(order))
    moved[order] = [
        _start(block, gap, low, high) + gap * i for block in blocks for i in range(block[1])
    ]
    return moved


def _start(block: list[float], gap: float, low: float, high: float) -> float:
    wished, count = block
    return min(max(wished / count, low), high - gap * (count - 1))


def colour_bar(
    figure: Figure, axes: Sequence[Axes], colours: Sequence, names: Sequence[str], title: str
) -> None:
    """Tell what the colours mean: a bar of one box a value, with as many names as fit."""
    n = len(colours)
    mappable = ScalarMappable(cmap=ListedColormap(list(colours)))
    mappable.set_clim(0, n)
    bar = figure.colorbar(mappable, ax=list(axes), pad=0.01, aspect=28, fraction=0.04)
    shown = np.unique(np.linspace(0, n - 1, min(n, MOST_LABELS)).round().astype(int))
    bar.set_ticks(shown + 0.5, labels=[names[i] for i in shown])
    bar.ax.tick_params(length=0)
    bar.set_label(title)
    bar.outline.set_visible(False)


def counted(language: Language, what: str, n: int) -> str:
    """`n` things in words that fit the number, such as `1 seed` or `5 seeds`."""
    return language.text(f"figures.{what}.{'one' if n == 1 else 'other'}", n=n)


def seeds(language: Language, least: int, most: int) -> str:
    """`5 seeds`, or `3 to 9 seeds`."""
    if least == most:
        return counted(language, "seeds", most)
    return language.text("figures.seeds.range", least=least, most=most)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`: powers of ten, or 1, 2 and 5 times these if few."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high / low < 1000 else (1,)
    ticks = [float(f"{step}e{power}") for power in powers for step in steps]
    return [tick for tick in ticks if low <= tick <= high]


def thin_tick_labels(axes: Axes) -> None:
    """Hide labels of the x axis that would touch the one before; call it after `settle`."""
    right = -np.inf
    for label in axes.get_xticklabels():
        extent = label.get_window_extent()
        reach = (extent.x0 + extent.x1) / 2 + 20 if label.get_rotation() else extent.x1
        start = reach - 20 if label.get_rotation() else extent.x0
        label.set_visible(start > right + 4)
        right = reach if label.get_visible() else right


def luminance(colour: object) -> float:
    """The relative luminance of a colour, from 0 (black) to 1 (white)."""
    return float(np.dot(np.array(rgb(colour)) ** 2.2, (0.2126, 0.7152, 0.0722)))


def ink_on(colour: object) -> str:
    """Black or white, whichever is read better on `colour`."""
    return "white" if luminance(colour) < 0.2 else "black"


def readable(colour: object) -> tuple[float, float, float]:
    """`colour`, darkened as far as it takes to read it as text on white (contrast 4.5 to 1)."""
    darkening = min(1.0, (0.18 / max(luminance(colour), 0.01)) ** (1 / 2.2))
    red, green, blue = rgb(colour)
    return darkening * red, darkening * green, darkening * blue


def heatmap(
    axes: Axes,
    values: np.ndarray,
    texts: np.ndarray,
    names: tuple[Sequence[str], Sequence[str]],
    cmap: str,
    span: tuple[float, float],
) -> None:
    """Draw a matrix as coloured cells with a text in each, named by row and by column.

    `span` is the (lowest, highest) value of the colour scale; cells that are NaN stay white. Texts
    that would come out too small to be read are left out.
    """
    image = axes.imshow(values, cmap=cmap, vmin=span[0], vmax=span[1], aspect="auto")
    # Never blended, however many cells share a pixel.
    image.set_interpolation("nearest")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    rows, columns = names
    for axis, labels, most in ((axes.yaxis, rows, MOST_ROWS), (axes.xaxis, columns, MOST_COLUMNS)):
        step = -(-len(labels) // most)
        axis.set_ticks(range(0, len(labels), step), labels[::step])
    shown = axes.get_xticklabels()
    if sum(len(label.get_text()) for label in shown) > 45:
        axes.tick_params("x", rotation=45)
        for label in shown:
            label.set(ha="right", rotation_mode="anchor")
    if len(rows) > MOST_ROWS:
        return
    longest = max(len(line) for text in texts.flat for line in [*text.splitlines(), ""])
    size = min(9.0, CELLS_WIDTH / len(columns) / (0.62 * max(longest, 1)))
    if size < 5:
        return
    colours = image.to_rgba(np.ma.masked_invalid(values))
    for place, text in np.ndenumerate(texts):
        ink = ink_on(colours[place]) if np.isfinite(values[place]) else INK
        axes.text(*place[::-1], text, ha="center", va="center", color=ink, fontsize=size)


def say_instead(axes: Axes, statement: str) -> None:
    """Say plainly why there is nothing to draw here."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, statement, ha="center", va="center", color=MUTED, transform=axes.transAxes)


@dataclass(frozen=True)
class Curve:
    """One measure of one run, by epoch from 1 on.

    `mean`, and `low` and `high`, the ends of the 95 % t interval, are (E,) over the replicates that
    did not diverge: all empty without any; the ends are NaN with a single one, and where all are
    equal. `diverged` has the values (NaN or infinite ones among them) of each replicate that did.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    diverged: list[np.ndarray]

    @property
    def end(self) -> float:
        """The height at which the curve ends; NaN where nothing finite was measured."""
        finite = [values[np.isfinite(values)] for values in [self.mean, *self.diverged]]
        return next((values[-1] for values in finite if len(values)), np.nan)


def diverged_seeds(rows: pd.DataFrame, epochs: int) -> set[int]:
    """The seeds that diverged in the first `epochs` epochs, of one run's rows of the metrics."""
    last = rows.loc[rows.groupby("seed")["epoch"].idxmax()]
    return set(last["seed"][(last["status"] == "diverged") & (last["epoch"] <= epochs)])


def curve(rows: pd.DataFrame, measure: str, epochs: int) -> Curve:
    """The curve of `measure` in the first `epochs` epochs, of one run's rows of the metrics."""
    lost = diverged_seeds(rows, epochs)
    complete, diverged = [], []
    for seed, replicate in rows[rows["epoch"] <= epochs].sort_values("epoch").groupby("seed"):
        (diverged if seed in lost else complete).append(replicate[measure].to_numpy(float))
    if not complete:
        return Curve(*[np.empty(0)] * 3, diverged)
    found = t_interval(np.array(complete), bounds_of(measure))
    return Curve(found.mean, found.low, found.high, diverged)


def draw_curve(axes: Axes, curve: Curve, colour: object, linestyle: str = "-") -> None:
    """Draw the mean as a line, the interval as a band, diverged replicates as thin broken lines."""
    epochs = np.arange(1, len(curve.mean) + 1)
    few = {"marker": "o", "markersize": 4} if len(epochs) < 3 else {}
    axes.plot(epochs, curve.mean, color=colour, linestyle=linestyle, **few)
    if np.isfinite(curve.low).any():
        axes.fill_between(epochs, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0)
    for values in curve.diverged:
        axes.plot(
            np.arange(1, len(values) + 1), values, color=colour, linewidth=0.9, ls=(0, (3, 2))
        )


def draw_crosses(axes: Axes, curve: Curve, colour: object) -> None:
    """Mark where diverged replicates end, within the axes' limits as they now are."""
    for values in curve.diverged:
        finite = values[np.isfinite(values)]
        height = np.clip(finite[-1] if len(finite) else np.inf, *axes.get_ylim())
        axes.plot(len(values), height, "x", color=colour, markersize=7, mew=1.8, clip_on=False)


def fit_to_curves(axes: Axes, curves: Iterable[Curve], bounds: tuple[float, float]) -> None:
    """Set the y limits by what the curves show; those of diverged replicates only where alone."""
    curves = list(curves)
    means, low, high = (
        np.concatenate([getattr(curve, name) for curve in curves])
        for name in ("mean", "low", "high")
    )
    if not len(means):
        means = np.concatenate([values for curve in curves for values in curve.diverged])
        means = means[means < FARTHEST]
        low = high = means
    fit(axes, means, low, high, bounds)


def fit(axes: Axes, centres: np.ndarray, low: np.ndarray, high: np.ndarray, bounds, which="y"):
    """Set the limits of an axis to hold all finite centres, and intervals as far as reasonable.

    With two or three replicates an interval can be many times as wide as all else: it may take
    half the range of the centres on either side, and is cut off there.
    """
    centres = centres[np.isfinite(centres)]
    if not len(centres):
        centres = np.array([max(bounds[0], 0.0), min(bounds[1], FARTHEST)])
    first, last = centres.min(), centres.max()
    spare = 0.5 * (last - first) or np.inf
    first = max(np.nanmin([first, *low]), first - spare, bounds[0])
    last = min(np.nanmax([last, *high]), last + spare, bounds[1])
    margin = 0.05 * (last - first) or 0.01
    set_limits = axes.set_ylim if which == "y" else axes.set_xlim
    set_limits(first - margin, last + margin)


def make_room(axes: Axes, height: float) -> None:
    """Widen the y limits, if need be, so that `height` lies well within."""
    low, high = axes.get_ylim()
    margin = 0.05 * (high - low)
    axes.set_ylim(min(low, height - margin), max(high, height + margin))
