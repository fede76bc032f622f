"""The figures of the final model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from study.data import datasets, pictures
from study.data.base import Classes, Targets
from study.figures import drawing, predicted
from study.figures.drawing import Curve
from study.figures.experiment_data import Frequent, frequent
from study.final import evaluation
from study.final.evaluation import Evaluated
from study.results import metrics, published
from study.spec.plan import Plan
from study.spec.tasks import bounds_of, task_of
from study.statistics import calibration, classification
from study.statistics.intervals import SHARE, t_interval
from study.support.language import Language

OF_CLASSES = ("final_confusion", "final_classes", "final_calibration")

# Those that show test images.
OF_IMAGES = ("final_confused", "final_mistakes")

OF_QUANTITIES = ("final_predictions", "final_residuals")
PARTS = ("validation", "train")
PART_COLOURS = dict(zip(PARTS, drawing.UNORDERED, strict=False))
MISTAKES = (4, 4)  # rows, columns
CONFUSED = (6, 8)  # pairs, images of each
PUBLISHED = {"marker": "D", "ms": 7, "mfc": "none", "mew": 1.4, "lw": 0, "clip_on": False}


@dataclass(frozen=True)
class FinalModelData:
    """All that the final model's figures show, the same in every language.

    `images` is (N, height, width) of the test images, (N, height, width, 3) in colour, None of
    other examples; `evaluation` is of the seeds, out of `n_seeds`, that did not diverge. `score` is
    the metric that the task is scored by.
    """

    targets: Targets
    score: str
    epochs: int
    n_seeds: int
    curves: dict[str, Curve]
    published: dict[str, float]
    images: np.ndarray | None
    evaluation: Evaluated
    frequent: Frequent | None

    @property
    def names(self) -> list[str]:
        """Its figures."""
        if not isinstance(self.targets, Classes):
            return ["final_curves", *OF_QUANTITIES]
        return ["final_curves", *OF_CLASSES, *(OF_IMAGES if self.images is not None else ())]

    @property
    def finished(self) -> list[int]:
        """The seeds that did not diverge."""
        return self.evaluation.seeds


def collect(plan: Plan, runs: Path, evaluated: Path, data: Path) -> FinalModelData:
    """Put together what there is about the plan's final model.

    `runs` is the folder of all runs, `evaluated` what evaluate_final.py wrote, and `data` the
    folder of the data set's files. Raises StudyError when something is missing or does not fit.
    """
    own = plan.only(None)
    rows = metrics.collect(own.runs, runs, plan.hyperparameters).to_pandas()
    dataset = datasets.describe(plan.dataset)
    content = dataset.load(data)
    final, epochs = own.final, own.final.epochs
    score = task_of(rows.columns).score
    measures = [f"{part}_{metric}" for part in PARTS for metric in ("loss", score)]
    printed = published.lookup("final", final.settings, epochs, dataset.name, plan.validation)
    return FinalModelData(
        targets=content.targets,
        score=score,
        epochs=epochs,
        n_seeds=rows["seed"].nunique(),
        curves={measure: drawing.curve(rows, measure, epochs) for measure in measures},
        published={
            name: accuracy
            for name in PARTS
            if (accuracy := getattr(printed, f"{name}_accuracy", None)) is not None
        },
        images=pictures.shown(content.test.x) if dataset.shows_classes else None,
        evaluation=evaluation.read_evaluation(evaluated, content),
        frequent=frequent(content, plan.validation),
    )


def draw(model: FinalModelData, language: Language, folder: Path) -> None:
    """Write the figures of the final model to `folder`.

    Where every seed diverged, all but the curves say just that.
    """
    _draw_curves(model, language, folder)
    draws = {
        "final_confusion": _draw_confusion,
        "final_classes": _draw_scores,
        "final_calibration": _draw_calibration,
        "final_confused": _draw_confused,
        "final_mistakes": _draw_mistakes,
        "final_predictions": _draw_predictions,
        "final_residuals": _draw_residuals,
    }
    for name in model.names[1:]:
        if model.finished:
            draws[name](model, language, folder, name)
            continue
        with drawing.sheet(2.2, _title(model, name, language)) as figure:
            statement = language.text("figures.all_diverged", n=model.n_seeds)
            drawing.say_instead(figure.subplots(), statement)
            drawing.save(figure, folder, name, language)


def _title(model: FinalModelData, name: str, language: Language) -> str:
    return language.text(
        f"figures.{name}",
        epochs=drawing.counted(language, "epochs", model.epochs),
        seeds=drawing.counted(language, "seeds", model.n_seeds),
    )


def _note(model: FinalModelData, language: Language, one: str, several: str) -> str:
    """Join the catalogue's note for one or for several seeds, and how many seeds diverged."""
    notes = [language.text(f"figures.{several if len(model.finished) > 1 else one}")]
    lost = model.n_seeds - len(model.finished)
    if lost:
        notes.append(language.text("figures.lost", lost=lost, n=model.n_seeds))
    return " ".join(notes)


def _draw_curves(model: FinalModelData, language: Language, folder: Path) -> None:
    notes = ["intervals"] if len(model.finished) > 1 else []
    if len(model.finished) < model.n_seeds:
        notes.append("crosses")
    told = [" ".join(language.text(f"figures.{key}") for key in notes)]
    if model.frequent:
        # On a line of its own: together they are wider than a page.
        told.append(model.frequent.told(language))
    note = "\n".join(filter(None, told))
    with drawing.sheet(4.0, _title(model, "final_curves", language), note) as figure:
        panels = figure.subplots(1, 2)
        ends = []
        for axes, measure in zip(panels, ("loss", model.score), strict=True):
            is_loss = measure == "loss"
            curves = {part: model.curves[f"{part}_{measure}"] for part in PARTS}
            for part, curve in curves.items():
                drawing.draw_curve(axes, curve, PART_COLOURS[part])
            drawing.fit_to_curves(axes, curves.values(), bounds_of(measure))
            for part, curve in curves.items():
                drawing.draw_crosses(axes, curve, PART_COLOURS[part])
            for part, accuracy in {} if is_loss else model.published.items():
                label = language.text(f"figures.published_{part}")
                axes.plot(
                    model.epochs, accuracy, color=PART_COLOURS[part], label=label, **PUBLISHED
                )
                axes.legend(loc="lower right")
                drawing.make_room(axes, accuracy)
            axes.set_title(language.text(f"figures.{measure}_by_epoch"))
            drawing.use_measure(axes, language, measure)
            drawing.use_epochs(axes, model.epochs, language)
            named = [
                (curve.end, language.text(f"figures.{part}"), PART_COLOURS[part])
                for part, curve in curves.items()
            ]
            ends.append(drawing.label_line_ends(axes, named))
        drawing.settle(figure)
        for axes, labels in zip(panels, ends, strict=True):
            drawing.spread(axes, labels)
        drawing.save(figure, folder, "final_curves", language)


def _draw_confusion(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    classes = model.targets.in_language(language.code)
    counts = model.evaluation.confusion
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    height = float(np.clip(1.9 + 0.32 * len(classes), 4, 20))
    note = _note(model, language, "one_count", "mean_counts")
    with drawing.sheet(height, _title(model, name, language), note) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        # The diagonal dwarfs all else: colours by the square root of the share show the mistakes.
        for axes, cells, kind, digits in (
            (panels[0], counts, "counts", 0),
            (panels[1], 100 * shares, "row_shares", 1),
        ):
            texts = np.array([[_cell(cell, digits, language) for cell in row] for row in cells])
            drawing.heatmap(axes, np.sqrt(shares), texts, (classes, classes), "Blues", (0.0, 1.0))
            axes.set_title(language.text(f"figures.{kind}"))
            axes.set_xlabel(language.text("figures.predicted_class"))
        panels[0].set_ylabel(language.text("figures.true_class"))
        drawing.save(figure, folder, name, language)


def _cell(value: float, digits: int, language: Language) -> str:
    return language.number(value, digits) if round(value, digits) else ""


def _draw_scores(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    scores = model.evaluation.scores.sort_values("f1_mean", ascending=False, kind="stable")
    names = np.array(model.targets.in_language(language.code))[scores.index]
    height = 1.4 + 0.36 * len(scores)
    note = _note(model, language, "one_mark", "intervals_of_marks")
    with drawing.sheet(height, _title(model, name, language), note) as figure:
        axes = figure.subplots()
        rows = np.arange(len(scores))
        looks = zip(classification.SCORES, "^sD", (-0.22, 0.0, 0.22), strict=True)
        means, lows, highs = [], [], []
        for i, (score, marker, shift) in enumerate(looks):
            mean, low, high = (
                scores[f"{score}_{column}"].to_numpy() for column in ("mean", "low", "high")
            )
            colour = drawing.UNORDERED[i]
            axes.hlines(rows + shift, low, high, colour, lw=1.4)
            label = language.text(f"figures.{score}")
            axes.plot(mean, rows + shift, marker, color=colour, ms=5.5, label=label)
            means.append(mean)
            lows.append(low)
            highs.append(high)
        drawing.fit(axes, *map(np.concatenate, (means, lows, highs)), (0.0, 1.0), "x")
        axes.set_yticks(rows, names)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(False, axis="y")
        for row in rows[:-1]:
            axes.axhline(row + 0.5, color=drawing.GRID, lw=0.8, zorder=0)
        axes.tick_params("y", length=0)
        drawing.use_numbers(axes, language, "x", percent=True)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
        drawing.save(figure, folder, name, language)


def _draw_calibration(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    tables = model.evaluation.reliability
    accuracies = np.array([table["accuracy"] for table in tables])
    filled = np.isfinite(accuracies).all(axis=0)
    found = t_interval(accuracies[:, filled], SHARE)
    mean = model.evaluation.mean_reliability
    confidence = mean["confidence"][filled]
    colour = drawing.UNORDERED[0]
    note = _note(model, language, "bins_of_one", "bins_of_several")
    with drawing.sheet(4.6, _title(model, name, language), note) as figure:
        right, share = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        perfect = {"color": drawing.MUTED, "lw": 1, "ls": (0, (4, 3))}
        right.plot([0, 1], [0, 1], label=language.text("figures.perfect"), **perfect)
        right.vlines(confidence, found.low, found.high, color=colour, lw=1.4)
        right.plot(confidence, found.mean, "o-", color=colour, ms=5, lw=1)
        right.legend(loc="upper left")
        right.set_ylabel(language.text("figures.share_right"))
        right.set_yticks(np.linspace(0, 1, 6))
        right.set_ylim(-0.03, 1.03)
        edges = np.arange(calibration.BINS + 1) / calibration.BINS
        share.stairs(mean["share"], edges, fill=True, color=colour, alpha=0.5)
        share.set_ylabel(language.text("figures.share_of_images"))
        share.set_xlabel(language.text("figures.confidence"))
        share.set_xlim(edges[np.flatnonzero(mean["share"])[0]], 1)
        for axes in (right, share):
            drawing.use_numbers(axes, language, percent=True)
        drawing.use_numbers(share, language, "x", percent=True)
        drawing.save(figure, folder, name, language)


def _draw_predictions(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    note = _note_of_points(model, language)
    height = predicted.height_of_panels(len(model.targets))
    with drawing.sheet(height, _title(model, name, language), note) as figure:
        predicted.draw_against_true(figure, model.evaluation, model.targets, language)
        drawing.save(figure, folder, name, language)


def _draw_residuals(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    note = _note_of_points(model, language)
    height = predicted.height_of_rows(len(model.targets))
    with drawing.sheet(height, _title(model, name, language), note) as figure:
        predicted.draw_residuals(figure, model.evaluation, model.targets, language)
        drawing.save(figure, folder, name, language)


def _note_of_points(model: FinalModelData, language: Language) -> str:
    note = _note(model, language, "points_of_one", "points_of_several")
    return " ".join([note, *predicted.left_out(model.evaluation, language)])


def _draw_confused(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    classes = model.targets.in_language(language.code)
    rows, columns = CONFUSED
    pairs = model.evaluation.confused(rows)
    note = _note(model, language, "examples_of_one", "examples_of_several")
    sheet_height = 1.05 * max(len(pairs), 1) + 0.9
    with drawing.sheet(sheet_height, _title(model, name, language), note) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        if not pairs:
            drawing.say_instead(axes, language.text("figures.no_confusions"))
        height, width = model.images.shape[1:3]
        for row, (label, taken, count) in enumerate(pairs):
            top = 1.35 * height * row
            # A mean over several seeds has a decimal, and is no single image.
            told = language.number(count, 1 if len(model.finished) > 1 else 0)
            text = language.text(
                f"figures.confused.{'one' if told == '1' else 'other'}",
                true=classes[label],
                predicted=classes[taken],
                count=told,
            )
            axes.text(-0.3 * width, top + height / 2, text, ha="right", va="center")
            examples = model.evaluation.examples(label, taken, columns)
            if examples.empty:
                text = language.text("figures.no_common_example")
                axes.text(0, top + height / 2, text, va="center", color=drawing.MUTED)
            for example in examples.itertuples():
                text = language.percent(example.confidence, 0)
                left = 1.25 * width * example.Index
                _draw_image(axes, model.images[example.image], left, top, text)
        axes.set_xlim(-3.4 * width, (1.25 * columns) * width)
        axes.set_ylim(1.35 * height * max(len(pairs), 1), -0.4 * height)
        drawing.save(figure, folder, name, language)


def _draw_mistakes(model: FinalModelData, language: Language, folder: Path, name: str) -> None:
    rows, columns = MISTAKES
    classes = model.targets.in_language(language.code)
    height, width = model.images.shape[1:3]
    several = len(model.finished) > 1
    note = _note(model, language, "mistakes_of_one", "mistakes_of_several")
    mistakes = model.evaluation.mistakes(rows * columns)
    with drawing.sheet(2.1 * rows + 0.8, _title(model, name, language), note) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        if mistakes.empty:
            drawing.say_instead(axes, language.text("figures.no_mistakes"))
        for mistake in mistakes.itertuples():
            row, column = divmod(mistake.Index, columns)
            text = language.text(
                "figures.mistake",
                true=classes[mistake.label],
                predicted=classes[mistake.predicted],
                confidence=language.percent(mistake.confidence, 1),
            )
            if several:
                text += f" · {mistake.seeds}/{len(model.finished)}"
            image = model.images[mistake.image]
            _draw_image(axes, image, 1.6 * width * column, 1.4 * height * row, text)
        axes.set_xlim(-0.3 * width, (1.6 * columns - 0.3) * width)
        axes.set_ylim((1.4 * rows - 0.4) * height, -0.4 * height)
        drawing.save(figure, folder, name, language)


def _draw_image(axes: Axes, image: np.ndarray, left: float, top: float, text: str) -> None:
    """Draw an image in a pixel's units, with a text above it; grey is drawn dark on light."""
    height, width = image.shape[:2]
    axes.imshow(
        image,
        cmap="gray_r",
        vmin=0,
        vmax=255,
        interpolation="none",
        extent=(left, left + width, top + height, top),
    )
    axes.text(left + width / 2, top - 1, text, ha="center", va="bottom")
