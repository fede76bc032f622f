"""The figure of a search: how its trials came out in the order of drawing, and by each setting."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from study.figures import drawing
from study.figures.drawing import MUTED, UNORDERED
from study.search.trials import COMPLETE, DIVERGED, PRUNED, ScoredTrial
from study.spec import settings
from study.spec.searches import Search
from study.support.language import Language

HISTORY_HEIGHT = 3.0  # inches, as all heights here
ROW_HEIGHT = 2.4

# Settings beside each other.
COLUMNS = 3

# What is left free beyond the bounds, as a share of their distance.
MARGIN = 0.03

COLOURS = {COMPLETE: UNORDERED[0], PRUNED: UNORDERED[5], DIVERGED: UNORDERED[1]}
MARKERS = {COMPLETE: "o", PRUNED: "o", DIVERGED: "x"}


def draw(
    search: Search,
    trials: Sequence[ScoredTrial],
    keys: Sequence[str],
    score: str,
    language: Language,
    folder: Path,
) -> None:
    """Write <search>.<language>.png and .svg to `folder`.

    Args:
        trials: Those of the search, in order.
        keys: Its settings, the most important first.
        score: The name of the score in the catalogue, as search.scores has it.
    """
    rows = -(-len(keys) // COLUMNS)
    title = language.text(
        "search.figure_title",
        name=search.name,
        trials=language.text(
            f"search.trials.{'one' if len(trials) == 1 else 'other'}", n=len(trials)
        ),
    )
    note = language.text(
        "search.figure_note",
        epochs=drawing.counted(language, "epochs", search.steps[0].epochs),
    )
    height = HISTORY_HEIGHT + ROW_HEIGHT * rows + 0.6
    percent = score == "accuracy"
    with drawing.sheet(height, title, note) as figure:
        upper, lower = figure.subfigures(2, 1, height_ratios=[HISTORY_HEIGHT, ROW_HEIGHT * rows])
        history = upper.subplots()
        _draw_history(history, trials, language)
        panels = list(lower.subplots(rows, COLUMNS, sharey=True, squeeze=False).flat)
        for panel, key in zip(panels, keys, strict=False):
            _draw_setting(panel, search.space[key], key, trials, language)
        for panel in panels[len(keys) :]:
            panel.set_visible(False)
        for axes in (history, *panels):
            drawing.use_numbers(axes, language, "y", percent)
        history.set_ylabel(language.text(f"search.scores.{score}").capitalize())
        drawing.settle(figure)
        for panel in panels[: len(keys)]:
            drawing.thin_tick_labels(panel)
        drawing.save(figure, folder, search.name, language)


def _draw_history(axes: Axes, trials: Sequence[ScoredTrial], language: Language) -> None:
    """The first score of each trial, and the best until then."""
    numbers = np.array([each.trial.number for each in trials])
    scores = np.array([np.nan if each.first is None else each.first for each in trials])
    best = np.fmax.accumulate(scores)
    axes.step(
        numbers,
        best,
        where="post",
        color=MUTED,
        linewidth=1.2,
        label=language.text("search.best_so_far"),
    )
    _points(axes, numbers, scores, trials, language)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    drawing.use_numbers(axes, language, "x")
    axes.set_xlabel(language.text("search.columns.trial"))
    axes.set_title(language.text("search.history"))
    axes.legend(loc="lower right", ncols=4)


def _draw_setting(
    axes: Axes, form: Any, key: str, trials: Sequence[ScoredTrial], language: Language
) -> None:
    """The first scores by a setting's value; without trials that do not use it."""
    used = [each for each in trials if key in each.trial.settings]
    values = [each.trial.settings[key] for each in used]
    scores = np.array([np.nan if each.first is None else each.first for each in used])
    if isinstance(form, list):
        places = np.array([form.index(value) for value in values], float)
        names = [_name(key, value, language) for value in form]
        axes.xaxis.set_major_locator(FixedLocator(range(len(form))))
        axes.xaxis.set_major_formatter(FixedFormatter(names))
        axes.set_xlim(-0.5, len(form) - 0.5)
    else:
        places = np.array(values, float)
        _scale(axes, form, language)
    _points(axes, places, scores, used, language)
    axes.set_title(language.text(f"settings.{key}.title"))


def _scale(axes: Axes, form: Mapping[str, Any], language: Language) -> None:
    """The x axis of a setting that is drawn between bounds."""
    low, high = form["low"], form["high"]
    if form["log"]:
        ticks = drawing.log_ticks(low, high)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(FixedLocator(ticks))
        axes.xaxis.set_minor_locator(NullLocator())
        names = [language.value(settings.text(tick)) for tick in ticks]
        axes.xaxis.set_major_formatter(FixedFormatter(names))
        axes.set_xlim(low / (high / low) ** MARGIN, high * (high / low) ** MARGIN)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
        drawing.use_numbers(axes, language, "x")
        axes.set_xlim(low - MARGIN * (high - low), high + MARGIN * (high - low))


def _points(
    axes: Axes,
    places: np.ndarray,
    scores: np.ndarray,
    trials: Sequence[ScoredTrial],
    language: Language,
) -> None:
    """A mark for each trial by what became of it; a diverged one at the foot of the axes."""
    states = np.array([each.state for each in trials])
    for state in (PRUNED, COMPLETE, DIVERGED):
        chosen = states == state
        if not chosen.any():
            continue
        unknown = np.isnan(scores)
        label = language.text(f"search.states.{state}")
        style = {"marker": MARKERS[state], "s": 26, "color": COLOURS[state], "linewidths": 1.2}
        seen = chosen & ~unknown
        axes.scatter(places[seen], scores[seen], label=label if seen.any() else None, **style)
        if (chosen & unknown).any():
            axes.scatter(
                places[chosen & unknown],
                np.zeros((chosen & unknown).sum()),
                transform=axes.get_xaxis_transform(),
                clip_on=False,
                label=None if seen.any() else label,
                **style,
            )


def _name(key: str, value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return language.text(f"values.{settings.text(value)}")
    known = language.entry(f"settings.{key}").get("values", {})
    text = settings.text(value)
    return known[text]["name"] if text in known else language.value(text)
