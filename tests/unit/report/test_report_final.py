"""What the report says of the final model is chosen by the numbers that it states."""

import functools
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import madeup
from study.final.evaluation import Evaluation, Provenance
from study.report.data import ReportData, collect
from study.report.early_stopping import EarlyStopping
from study.report.on_test_images import OnTestImages
from study.report.words import Words
from study.results import findings
from study.spec import config
from study.statistics.classes import count
from study.support.language import Language

ROOT = Path(__file__).parents[3]
IMAGES = 400

words = functools.cache(lambda code: Words(Language(code)))


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> ReportData:
    folder = tmp_path_factory.mktemp("study")
    made = madeup.make(config.load([ROOT / "config.yaml"]), lambda *_: 0.8)
    madeup.write(made, folder)
    tables = (made.plan, made.metrics, made.summary)
    return collect(*tables, folder / "runs", folder / "data", folder / "final.safetensors")


def answers(right: np.ndarray, confidence: np.ndarray, classes: int = 10) -> Evaluation:
    """Seeds that are `right` (seeds, images) or else take class 0 for 1, with a `confidence`."""
    labels = np.zeros(right.shape[1], int)
    probabilities = np.full((*right.shape, classes), 0.0, np.float32)
    probabilities[:] = ((1 - confidence) / (classes - 1))[..., None]
    np.put_along_axis(probabilities, (~right).astype(int)[..., None], confidence[..., None], 2)
    return Evaluation(
        Provenance("run", 30, list(range(len(right))), "D", "d"), probabilities, labels
    )


def random_answers(accuracy=0.8, confidence=0.8, seeds=5, independent=True) -> Evaluation:
    random = np.random.default_rng(0)
    right = random.random((seeds if independent else 1, IMAGES)) < accuracy
    right = np.broadcast_to(right, (seeds, IMAGES))
    return answers(right, np.full(right.shape, confidence))


def said(study, evaluation, part, code="en"):
    tested = OnTestImages(replace(study, evaluation=evaluation), words(code), "figures")
    return "\n".join(getattr(tested, part)())


def is_said(key, text, code):
    """Whether a paragraph is the catalogue's sentence, with whatever numbers."""
    sentence = words(code).language.entry(f"report.{key}").strip()
    pattern = ".+".join(map(re.escape, re.split(r"\{\w+\}", sentence)))
    return any(re.fullmatch(pattern, paragraph) for paragraph in text.splitlines())


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize(("confidence", "key"), [(0.99, "above"), (0.6, "below"), (0.79, "open")])
def test_over_and_under_confidence(study, confidence, key, code):
    text = said(study, random_answers(confidence=confidence), "about_calibration", code)
    for each in ("above", "below", "open"):
        assert is_said(f"tested.confidence_{each}", text, code) == (each == key)
    assert is_said(f"tested.farthest_{'above' if confidence > 0.8 else 'below'}", text, code)


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize(("independent", "key"), [(True, "above"), (False, "open")])
def test_the_ensemble(study, independent, key, code):
    """Independent mistakes are outvoted, common ones are not."""
    text = said(study, random_answers(independent=independent), "found", code)
    for each in ("above", "below", "open"):
        assert is_said(f"tested.ensemble_{each}", text, code) == (each == key)


@pytest.mark.parametrize("code", ["en", "es"])
def test_an_ensemble_that_is_worse_is_called_so(study, code):
    """One seed is wrong and sure, the others are right and not."""
    right = np.ones((3, IMAGES), bool)
    right[np.arange(IMAGES) % 3, np.arange(IMAGES)] = False
    text = said(study, answers(right, np.where(right, 0.4, 0.99)), "found", code)
    assert is_said("tested.ensemble_below", text, code)


@pytest.mark.parametrize("code", ["en", "es"])
def test_what_matters_more(study, code):
    accuracies = np.array([0.2, 0.5, 0.9])
    apart = np.arange(IMAGES) < IMAGES * accuracies[:, None]
    text = said(study, answers(apart, np.full(apart.shape, 0.8)), "found", code)
    assert is_said("tested.seeds_matter_more", text, code)
    right = np.array(random_answers(independent=False).correct)
    right[0, :2] = ~right[0, :2]
    text = said(study, answers(right, np.full(right.shape, 0.8)), "found", code)
    assert is_said("tested.images_matter_more", text, code)


@pytest.mark.parametrize("code", ["en", "es"])
def test_seeds_that_are_right_equally_often_show_no_spread(study, code):
    text = said(study, random_answers(independent=False), "found", code)
    assert is_said("tested.accuracy_flat", text, code)
    for each in ("images", "seeds"):
        assert not is_said(f"tested.{each}_matter_more", text, code)


@pytest.mark.parametrize("code", ["en", "es"])
def test_one_seed(study, code):
    one = random_answers(seeds=1)
    assert words(code).text("tested.no_ensemble") in said(study, one, "found", code)
    assert is_said(
        "tested.calibration_error_one_seed", said(study, one, "about_calibration", code), code
    )
    tested = OnTestImages(replace(study, evaluation=one), words(code), "figures")
    assert words(code).text("tested.one") in tested.results()
    assert words(code).text("tested.note_one_seed") in tested.results_note()
    assert words(code).text("tested.averages_note.one") in tested.results_note()
    assert "nan" not in tested.results()


RARE = 40  # of IMAGES, in class 1


def of_rare_class(found: list[int]) -> Evaluation:
    """A seed for each of `found`, which says how many of the rare class it tells from class 0."""
    labels = (np.arange(IMAGES) < RARE).astype(int)
    named = np.arange(IMAGES) < np.array(found)[:, None]
    probabilities = np.where(named[..., None], [0.2, 0.8], [0.8, 0.2]).astype(np.float32)
    return Evaluation(
        Provenance("run", 30, list(range(len(found))), "D", "d"), probabilities, labels
    )


def told_of_rare_class(study, found, code) -> OnTestImages:
    evaluation = of_rare_class(found)
    counts = study.class_counts | {"test": count(evaluation.labels, 2)}
    made = replace(study, evaluation=evaluation, class_counts=counts)
    return OnTestImages(made, words(code), "figures")


@pytest.mark.parametrize("code", ["en", "es"])
def test_a_rare_class_shows_in_balanced_accuracy_and_macro_f1(study, code):
    """A tenth of the images is of class 1: naming class 0 is right for 90 % of them.

    Of class 0 the recall is 1 and of class 1 0, 1/4 and 1/2: balanced accuracies of 50, 62.5 and
    75 %, accuracies of 90, 92.5 and 95 %. F1 of class 0 is 720 / (720 + 40), 720 / (720 + 30) and
    720 / (720 + 20), of class 1 0, 20 / (20 + 30) and 40 / (40 + 20).
    """
    tested = told_of_rare_class(study, [0, 10, 20], code)
    say = words(code)
    balanced = np.array([0.5, 0.625, 0.75])
    macro_f1 = np.array([36 / 76, (72 / 75 + 2 / 5) / 2, (72 / 74 + 2 / 3) / 2])
    [paragraph] = [each for each in tested.found() if say.percent(0.9) in each]
    assert paragraph.endswith(
        say.text(
            "tested.averages",
            balanced_accuracy=say.percent(0.625),
            one_class=say.percent(0.5),
            macro_f1=say.percent(macro_f1.mean()),
        )
    )
    _, _, mean, ensemble = tested.results().splitlines()
    assert [cell.strip() for cell in mean.split("|")[-3:-1]] == [
        say.with_half(findings.estimate(each)) for each in (balanced, macro_f1)
    ]
    # The mean of the probabilities says of ten images that they are of the rare class.
    assert [cell.strip() for cell in ensemble.split("|")[-3:-1]] == [
        say.points(0.625),
        say.points(macro_f1[1]),
    ]
    assert say.text("tested.averages_note.other") in tested.results_note()


@pytest.mark.parametrize("code", ["en", "es"])
def test_one_seed_has_balanced_accuracy_and_macro_f1_without_intervals(study, code):
    tested = told_of_rare_class(study, [10], code)
    [*_, only] = tested.results().splitlines()
    assert [cell.strip() for cell in only.split("|")[-3:-1]] == [
        words(code).points(0.625),
        words(code).points((72 / 75 + 2 / 5) / 2),
    ]


@pytest.mark.parametrize("code", ["en", "es"])
def test_of_classes_that_are_equally_frequent_only_the_table_has_them(study, code):
    tested = OnTestImages(replace(study, evaluation=random_answers()), words(code), "figures")
    assert not is_said("tested.averages", "\n".join(tested.found()), code)
    for measure in ("balanced_accuracy", "macro_f1"):
        assert words(code).text(f"columns.{measure}") in tested.results()


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize(
    ("validation", "key"),
    [("test", "chosen_on"), ({"from": "train", "size": 9, "seed": 0}, "never_chosen_on")],
)
def test_what_the_test_images_were_used_for(study, validation, key, code):
    told = replace(study, plan=replace(study.plan, validation=validation))
    text = said(told, random_answers(), "found", code)
    assert words(code).text(f"tested.{key}", count=IMAGES) in text


def early(study, losses, accuracies, patience=2, code="en"):
    """What is said of early stopping for these curves, one a seed."""
    rows = [
        {"run": "r", "seed": seed, "epoch": epoch, "status": "ok"}
        | {"validation_loss": loss, "validation_accuracy": accuracy}
        for seed, curves in enumerate(zip(losses, accuracies, strict=True))
        for epoch, (loss, accuracy) in enumerate(zip(*curves, strict=True), 1)
    ]
    nothing = findings.Estimate(0, *[np.nan] * 4)
    count = len(losses)
    final = findings.ValueResult(
        "final", {}, "r", len(losses[0]), count, 0, nothing, nothing, seeds=range(count)
    )
    rule = {"metric": "validation_loss", "patience": patience}
    told = replace(
        study,
        final=final,
        metrics=pd.DataFrame(rows),
        plan=replace(study.plan, early_stopping=rule),
    )
    part = EarlyStopping(told, words(code), "figures")
    return "\n".join(part.found()), part.by_seed()


U_SHAPED, FALLING = [5, 3, 4, 4.1, 4.2], [5, 4, 3, 2, 1]


@pytest.mark.parametrize("code", ["en", "es"])
@pytest.mark.parametrize(
    ("accuracies", "key"),
    [
        ([[0.1, 0.2, 0.3, 0.3, 0.31], [0.1, 0.2, 0.3, 0.3, 0.32]], "below"),
        ([[0.1, 0.5, 0.3, 0.3, 0.31], [0.1, 0.5, 0.3, 0.3, 0.32]], "above"),
        ([[0.1, 0.5, 0.3, 0.3, 0.31], [0.1, 0.2, 0.3, 0.3, 0.32]], "open"),
    ],
)
def test_what_early_stopping_would_have_cost(study, accuracies, key, code):
    text, table = early(study, [U_SHAPED, U_SHAPED], accuracies, code=code)
    for each in ("below", "above", "open"):
        assert is_said(f"early_stopping.{each}", text, code) == (each == key)
    # Stopped after epoch 4 of 5, twice.
    language = words(code).language
    assert words(code).text("early_stopping.one_epoch", low=4) in text
    assert language.percent(2 / 10, 0) in text
    assert len(table.splitlines()) == 2 + 2


@pytest.mark.parametrize("code", ["en", "es"])
def test_early_stopping_that_stops_nothing(study, code):
    text, _ = early(study, [FALLING] * 2, [FALLING] * 2, code=code)
    assert is_said("early_stopping.not_stopped", text, code)
    assert words(code).text("early_stopping.last_taken", epochs=5) in text


@pytest.mark.parametrize("code", ["en", "es"])
def test_early_stopping_with_one_seed(study, code):
    text, _ = early(study, [U_SHAPED], [[0.1, 0.2, 0.3, 0.3, 0.31]], code=code)
    assert is_said("early_stopping.one_seed", text, code)
    assert "nan" not in text


def test_very_many_seeds_have_no_table(study):
    assert early(study, [U_SHAPED] * 21, [U_SHAPED] * 21)[1] == ""
