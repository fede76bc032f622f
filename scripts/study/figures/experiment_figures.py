"""The figure of one experiment: its curves over the epochs, and what came out at each value."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, Transform

from study.figures import drawing
from study.figures.drawing import INK, MOST_LABELS, MOST_ROWS, MUTED, TIMES
from study.figures.experiment_data import EXTREMES, LINESTYLES, FigureData, VariedSetting
from study.spec.tasks import bounds_of
from study.support.language import SCORE_DIGITS, Language

CURVES_HEIGHT = 3.2  # inches, as all heights here
ROW_HEIGHT = 0.19
CELL_HEIGHT = 0.46

MARKERS = {"validation": "o", "train": "s"}


def draw(experiment: FigureData, language: Language, folder: Path) -> None:
    """Write <experiment>.<language>.png and .svg to `folder`."""
    n_settings = len(experiment.settings)
    height = _height_below(experiment)
    title, note = _title(experiment, language), _note(experiment, language)
    with drawing.sheet(CURVES_HEIGHT + height + 0.6, title, note) as figure:
        upper, lower = figure.subfigures(2, 1, height_ratios=[CURVES_HEIGHT, height])
        curves = upper.subplots(1, 2)
        panels = lower.subplots(1, 2 if n_settings == 2 else 1, squeeze=False)[0]
        ends = [
            _draw_curves(panel, experiment, measure, language)
            for panel, measure in zip(curves, experiment.measures, strict=True)
        ]
        if n_settings <= 2 and len(experiment.drawn) > MOST_LABELS:
            _explain_looks(upper, curves, experiment, language)
        if n_settings == 1:
            _draw_by_value(panels[0], experiment, language)
        elif n_settings == 2:
            _draw_heatmaps(panels, experiment, language)
        else:
            _draw_ranking(panels[0], experiment, language)
        drawing.settle(figure)
        for panel, labels in zip(curves, ends, strict=True):
            drawing.spread(panel, labels)
        if n_settings == 1:
            drawing.thin_tick_labels(panels[0])
        drawing.save(figure, folder, experiment.name, language)


def _height_below(experiment: FigureData) -> float:
    if len(experiment.settings) == 1:
        return CURVES_HEIGHT
    if len(experiment.settings) == 2:
        rows = min(len(experiment.settings[0].values), MOST_ROWS)
        return max(2.4, 0.9 + CELL_HEIGHT * rows)
    return 0.9 + ROW_HEIGHT * min(len(experiment.table), 2 * EXTREMES + 1)


def _title(experiment: FigureData, language: Language) -> str:
    first, *others = [setting.title(language) for setting in experiment.settings]
    title = language.text(
        "figures.experiment_title",
        settings=f" {TIMES} ".join([first, *(other[0].lower() + other[1:] for other in others)]),
        values=drawing.counted(language, "values", len(experiment.table)),
        seeds=drawing.seeds(language, *experiment.seeds),
    )
    if len(experiment.drawn) < len(experiment.runs):
        title += language.text("figures.extremes", n=EXTREMES)
    return title


def _note(experiment: FigureData, language: Language) -> str:
    notes = []
    if max(experiment.seeds) == 1:
        notes.append("no_intervals")
    elif (experiment.table["n"] > 1).any():
        notes.append("intervals")
        if experiment.table["n"].isin([2, 3]).any():
            notes.append("cut_off")
    if experiment.table["diverged"].any():
        notes.append("crosses")
    if len(experiment.runs) < len(experiment.table):
        notes.append("one_run")
    told = [" ".join(language.text(f"figures.{note}") for note in notes)]
    if experiment.frequent:
        # On a line of its own: together they are wider than a page.
        told.append(experiment.frequent.told(language))
    return "\n".join(filter(None, told))


def _draw_curves(
    axes: Axes, experiment: FigureData, measure: str, language: Language
) -> list[Text]:
    """Draw a line for each run; give the names at their ends, where there are few enough."""
    lines = experiment.drawn
    for line in lines:
        drawing.draw_curve(axes, line.curves[measure], line.colour, line.linestyle)
    drawing.fit_to_curves(axes, [line.curves[measure] for line in lines], bounds_of(measure))
    for line in lines:
        curve = line.curves[measure]
        drawing.draw_crosses(axes, curve, line.colour)
        for row in line.rows if len(line.rows) > 1 else []:
            epoch = experiment.table["epochs"][row]
            if epoch <= len(curve.mean):
                colour = experiment.colours[row]
                axes.plot(epoch, curve.mean[epoch - 1], "o", color=colour, mec="white", ms=7)
    axes.set_title(language.text(f"figures.{measure}_by_epoch"))
    drawing.use_measure(axes, language, measure)
    drawing.use_epochs(axes, int(experiment.table["epochs"].max()), language)
    if not 1 < len(lines) <= MOST_LABELS or len(experiment.settings) > 2:
        return []
    names = experiment.line_names(language)
    return drawing.label_line_ends(
        axes, [(line.curves[measure].end, names[line.longest], line.colour) for line in lines]
    )


def _explain_looks(
    figure: Figure, panels: list[Axes], experiment: FigureData, language: Language
) -> None:
    setting, style = experiment.colour_setting, experiment.style_setting
    drawing.colour_bar(
        figure, panels, setting.colours, setting.names(language), setting.title(language)
    )
    if style:
        panels[-1].legend(
            [Line2D([], [], color=INK, ls=LINESTYLES[i]) for i in range(len(style.values))],
            style.names(language),
            title=style.title(language),
        )


def _draw_by_value(axes: Axes, experiment: FigureData, language: Language) -> None:
    setting = experiment.settings[0]
    indices = np.arange(len(setting.values), dtype=float)
    places = np.array(setting.values, float) if setting.is_numeric else indices
    use_setting(axes, setting, places, language)
    axes.set_xlabel(setting.title(language))
    axes.set_title(language.text("figures.accuracy_by_value"))
    shift = float(np.clip(110 / len(places), 0, 6))
    size = float(np.clip(220 / len(places), 3, 7))
    _draw_estimates(
        axes, places, experiment, language, size, shift, joined=setting.scale != "names"
    )


def use_setting(axes: Axes, setting: VariedSetting, places: np.ndarray, language: Language) -> None:
    """Give the x axis the scale, limits and ticks for the values of `setting` at `places`."""
    first, last = places[0], places[-1]
    positive = places[places > 0]
    if setting.scale == "log":
        axes.set_xscale("log")
        stretch = (last / first) ** 0.04
        axes.set_xlim(first / stretch, last * stretch)
    elif setting.scale == "zero_and_log":
        axes.set_xscale("symlog", linthresh=positive[0])
        axes.set_xlim(-0.3 * positive[0], last * (last / positive[0]) ** 0.05)
    else:
        margin = 0.04 * (last - first) if setting.is_numeric and last > first else 0.5
        axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_minor_locator(NullLocator())
    ticks, names = places, setting.names(language)
    if setting.is_numeric and len(places) > MOST_LABELS:
        if setting.scale == "linear":
            drawing.use_numbers(axes, language, "x")
            return
        ticks = drawing.log_ticks(positive[0], last)
        if setting.scale == "zero_and_log":
            ticks = [0.0, *ticks]
        names = [language.value(f"{tick:.12g}") for tick in ticks]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(names))
    if sum(map(len, names)) > 100 and not setting.is_numeric:
        axes.tick_params("x", rotation=40)
        for label in axes.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")


def _draw_ranking(axes: Axes, experiment: FigureData, language: Language) -> None:
    """A row for each value from the best down; of very many the best and the worst."""
    n = len(experiment.table)
    places, ticks = np.arange(n, dtype=float), list(range(n))
    names = experiment.row_names(language)
    if n > 2 * EXTREMES:
        places[EXTREMES : n - EXTREMES] = np.nan
        places[n - EXTREMES :] = np.arange(EXTREMES + 1, 2 * EXTREMES + 1)
        ticks = list(range(2 * EXTREMES + 1))
        names = [*names[:EXTREMES], "⋮", *names[-EXTREMES:]]
    axes.set_yticks(ticks, names)
    axes.set_ylim(ticks[-1] + 0.7, -0.7)
    names = " · ".join(setting.title(language).lower() for setting in experiment.settings)
    axes.set_title(language.text("figures.accuracy_ranked", settings=names))
    _draw_estimates(axes, places, experiment, language, size=5, shift=-3, sideways=True)


def _draw_estimates(
    axes: Axes,
    places: np.ndarray,
    experiment: FigureData,
    language: Language,
    size: float,
    shift: float,
    joined: bool = False,
    sideways: bool = False,
) -> None:
    """Draw all that is known of the final scores, for values at `places` (NaN: left out).

    `size` of marks and the `shift` that keeps those of one value apart are in points. The
    values lie along x, or along y when `sideways`.
    """
    table, colours = experiment.table, np.array(experiment.colours)
    here = np.isfinite(places)

    def moved(steps: float) -> Transform:
        inches = ScaledTranslation(
            *_at(steps * shift / 72, 0, sideways), axes.get_figure(root=True).dpi_scale_trans
        )
        return axes.transData + inches

    legend = {}
    for part, side in (("validation", -0.5), ("train", 0.5)):
        mean, low, high, published = (
            experiment.final(part, column) for column in ("mean", "low", "high", "published")
        )
        ink = INK if part == "validation" else MUTED
        colour = colours if part == "validation" else np.tile(drawing.rgb(MUTED), (len(table), 1))
        if joined:
            axes.plot(
                *_at(places, mean, sideways), color=MUTED, lw=0.8, alpha=0.5, transform=moved(side)
            )
        bars = axes.hlines if sideways else axes.vlines
        bars(places, low, high, colour, lw=1.4, transform=moved(side))
        look = {"marker": MARKERS[part], "s": size**2, "linewidths": 0, "zorder": 3}
        axes.scatter(*_at(places, mean, sideways), c=colour, transform=moved(side), **look)
        legend[language.text(f"figures.{part}")] = Line2D(
            [],
            [],
            color=ink,
            marker=MARKERS[part],
            ms=size,
            lw=1.4 if np.isfinite(low).any() else 0,
        )
        if np.isfinite(published[here]).any():
            look = {"marker": "D", "s": size**2, "facecolors": "none", "edgecolors": ink}
            axes.scatter(
                *_at(places, published, sideways),
                transform=moved(3 * side),
                linewidths=1.2,
                zorder=4,
                **look,
            )
            legend[language.text(f"figures.published_{part}")] = Line2D(
                [], [], color=ink, marker="D", ms=size, lw=0, mfc="none", mew=1.2
            )
    _fit_to_estimates(axes, experiment, here, sideways)
    _mark_diverged(axes, places, experiment, language, sideways)
    if experiment.frequent:
        share = experiment.frequent.counts.share
        low, high = axes.get_xlim() if sideways else axes.get_ylim()
        if low < share < high:
            draw_line = axes.axvline if sideways else axes.axhline
            line = draw_line(share, color=MUTED, lw=1.2, ls=":", zorder=1)
            legend[language.text("figures.most_frequent")] = line
    if table["diverged"][here].any():
        legend[language.text("figures.diverged_seeds")] = Line2D(
            [], [], color=INK, marker="x", ms=7, mew=1.8, lw=0
        )
    axes.grid(False, axis="y" if sideways else "x")
    drawing.use_measure(axes, language, experiment.score, "x" if sideways else "y")
    axes.legend(legend.values(), legend.keys(), loc="upper left", bbox_to_anchor=(1.01, 1.0))


def _at(place: float | np.ndarray, accuracy: float | np.ndarray, sideways: bool) -> tuple:
    return (accuracy, place) if sideways else (place, accuracy)


def _fit_to_estimates(axes: Axes, experiment: FigureData, here: np.ndarray, sideways: bool) -> None:
    def column(name: str) -> np.ndarray:
        return np.concatenate([experiment.final(part, name)[here] for part in MARKERS])

    which = "x" if sideways else "y"
    centres = np.concatenate([column("mean"), column("published")])
    bounds = bounds_of(experiment.score)
    drawing.fit(axes, centres, column("low"), column("high"), bounds, which)
    if experiment.table["diverged"][here].any():
        low, high = getattr(axes, f"get_{which}lim")()
        getattr(axes, f"set_{which}lim")(low - 0.14 * (high - low), high)


def _mark_diverged(
    axes: Axes, places: np.ndarray, experiment: FigureData, language: Language, sideways: bool
) -> None:
    """At the low edge of the scores: a cross and how many of how many replicates diverged."""
    table = experiment.table
    edge = axes.get_yaxis_transform() if sideways else axes.get_xaxis_transform()
    wordy = sideways or len(places) <= 8
    for row in np.flatnonzero((table["diverged"] > 0) & np.isfinite(places)):
        count = f"{table['diverged'][row]}/{table['diverged'][row] + table['n'][row]}"
        words = f"{language.text('values.diverged')} {count}" if wordy else count
        colour = experiment.colours[row]
        mark = _at(places[row], 0.03, sideways)
        axes.plot(*mark, "x", color=colour, ms=7, mew=1.8, transform=edge)
        axes.annotate(
            words,
            mark,
            xycoords=edge,
            xytext=(8, 0) if sideways else (0, 6),
            textcoords="offset points",
            ha="left" if sideways else "center",
            va="center" if sideways else "bottom",
            color=drawing.readable(colour),
            fontsize=8,
        )


def _draw_heatmaps(panels: list[Axes], experiment: FigureData, language: Language) -> None:
    """Final scores as a matrix: the first setting down, the second across."""
    rows, columns = experiment.settings
    names = rows.names(language), columns.names(language)
    shape = len(rows.values), len(columns.values)
    means = [experiment.final(part, "mean") for part in MARKERS]
    known = np.concatenate(means)[np.isfinite(np.concatenate(means))]
    span = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    for axes, part, mean in zip(panels, MARKERS, means, strict=True):
        cells = np.full(shape, np.nan)
        cells[tuple(experiment.places.T)] = mean
        texts = np.full(shape, "", dtype=object)
        texts[tuple(experiment.places.T)] = [
            _cell_text(row, f"{part}_{experiment.score}", language)
            for row in experiment.table.to_dict("records")
        ]
        drawing.heatmap(axes, cells, texts, names, "viridis", span)
        axes.set_title(language.text(f"figures.final_{part}_percent"))
        axes.set_xlabel(columns.title(language))
    panels[0].set_ylabel(rows.title(language))


def _cell_text(row: dict, measure: str, language: Language) -> str:
    scale, digits = (100, 1) if language.scores_in_percent else (1, SCORE_DIGITS)
    mean, low, high, published = (
        scale * float(row[f"{measure}_{column}"]) for column in ("mean", "low", "high", "published")
    )
    lines = []
    if np.isfinite(mean):
        lines.append(language.number(mean, digits))
    if np.isfinite(high) and np.isclose(high - mean, mean - low):
        lines.append(f"± {language.number(high - mean, digits)}")
    elif np.isfinite(high):
        lines.append(f"{language.number(low, digits)} – {language.number(high, digits)}")
    if np.isfinite(published):
        lines.append(f"◇ {language.number(published, digits)}")
    if row["diverged"]:
        lines.append(f"{TIMES} {row['diverged']}/{row['diverged'] + row['n']}")
    return "\n".join(lines)
