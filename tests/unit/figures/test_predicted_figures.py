"""What the final model predicts, drawn: each target has its panel, as many as can be read."""

import numpy as np
import pytest
from matplotlib.text import Text

from study.data.base import Quantities
from study.figures import drawing, predicted
from study.final.predictions import Predictions
from study.final.provenance import Provenance
from study.support.language import Language

MANY = predicted.MOST_POINTS + 500


def made(count, targets, seeds=2):
    random = np.random.default_rng(0)
    true = random.normal(50, 10, (count, targets)).astype(np.float32)
    answers = true + random.normal(0, 5, (seeds, count, targets)).astype(np.float32)
    names = [f"t{place}" for place in range(targets)]
    provenance = Provenance("run", 1, list(range(seeds)), "data", "digest")
    return Predictions(provenance, answers, true), Quantities(names, ["kg", *[""] * (targets - 1)])


def drawn(draw, found, targets):
    with drawing.sheet(4.0, "title") as figure:
        draw(figure, found, targets, Language("en", "examples", task="regression"))
        return figure


def test_a_long_note_stays_on_the_page():
    language = Language("es", "examples", task="regression")
    keys = ("intervals", "cut_off", "crosses", "one_run")
    note = " ".join(language.text(f"figures.{key}") for key in keys)
    with drawing.sheet(4.0, "title", note) as figure:
        figure.subplots()
        figure.draw_without_rendering()
        [shown] = [
            each for each in figure.findobj(Text) if each.get_text().startswith("L\u00ednea")
        ]
        assert shown.get_window_extent().x1 < figure.bbox.x1


def told(figure):
    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.parametrize("count", [1, 40, MANY])
def test_predictions_are_drawn_over_what_is_true(count):
    found, targets = made(count, 2)
    figure = drawn(predicted.draw_against_true, found, targets)
    assert {"t0 (kg), true", "t0 (kg), predicted", "t1, true"} <= told(figure)
    for place, axes in enumerate(figure.axes):
        [points] = axes.collections
        offsets = np.asarray(points.get_offsets())
        assert len(offsets) == min(count, predicted.MOST_POINTS)
        true, mean = found.targets[0, place], found.answers[:, 0, place].mean()
        assert offsets[0] == pytest.approx((true, mean), rel=1e-5)
        assert axes.get_xlim() == axes.get_ylim()


def test_residuals_are_drawn_with_how_often_each_comes():
    found, targets = made(40, 1, seeds=1)
    figure = drawn(predicted.draw_residuals, found, targets)
    left, right = figure.axes
    offsets = np.asarray(left.collections[0].get_offsets())
    assert offsets[:, 1] == pytest.approx(found.answers[0, :, 0] - found.targets[:, 0], abs=1e-4)
    assert sum(bar.get_width() for bar in right.patches) == 40


def test_what_is_not_drawn_is_told():
    language = Language("en", "examples", task="regression")
    few, many = made(40, 2)[0], made(MANY, predicted.MOST_TARGETS + 1)[0]
    assert list(predicted.left_out(few, language)) == []
    assert list(predicted.left_out(many, language)) == [
        "2,000 of 2,500 are drawn.",
        "The first 6 of 7 targets are drawn.",
    ]
    for draw in (predicted.draw_against_true, predicted.draw_residuals):
        figure = drawn(draw, *made(40, predicted.MOST_TARGETS + 1))
        assert not [text for text in told(figure) if text.startswith("t6")]
