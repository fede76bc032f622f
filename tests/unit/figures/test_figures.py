"""Figures of made-up studies: what must be on them, whatever the study."""

import gzip
import itertools
import json
import math
import os
import re
import runpy
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mnistlike import idx_bytes, write_dataset
from study.data.datasets import describe
from study.figures import drawing, experiment_figures
from study.figures.experiment_data import collect, scale_of
from study.final import evaluation
from study.results import published
from study.runs.records import RECORD
from study.spec.plan import Plan, Run
from study.statistics.intervals import SHARE, TInterval, t_interval
from study.support.errors import StudyError
from study.support.language import Language

pytestmark = pytest.mark.filterwarnings("error")

# Where the language is not the point, figures are drawn in both in `make test-full` alone.
FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
LANGUAGES = ["es", "en"]
ENOUGH = LANGUAGES if FULL else ["en"]

SCRIPTS = Path(__file__).parents[3] / "scripts"

BASELINE = {
    "optimizer": "sgd",
    "learning_rate": 0.001,
    "learning_rate_decay": 1.0,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "dropout": 0.2,
    "hidden": [128, 64],
    "activation": "relu",
    "batch_size": 100,
    "epochs": 10,
}

MEASURES = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]


def text_of(value):
    if isinstance(value, list):
        return "-".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def measures(settings, seed, epochs):
    """Curves that look like training: the faster, the higher the rate and the smaller the batch."""
    speed = settings["learning_rate"] * 100_000 / settings["batch_size"]
    speed *= 12 if settings["optimizer"] == "adam" else 1
    speed *= 1 + 0.15 * math.log2(sum(settings["hidden"]) / 192) + 3 * settings["momentum"]
    name = sum(map(ord, json.dumps(settings, sort_keys=True)))
    noise = np.random.default_rng([seed, name]).normal(size=(4, epochs))
    learnt = 1 - 1 / (1 + 1.3 * speed * np.arange(1, epochs + 1)) ** 0.8
    shaken = noise * (0.004 + 0.03 * (1 - learnt))
    accuracy = 0.08 + 0.81 * learnt
    loss = 0.3 + 2 * (1 - learnt)
    return {
        "train_loss": loss * (1 + 0.6 * settings["dropout"]) + shaken[0],
        "train_accuracy": accuracy - 0.25 * settings["dropout"] + shaken[1],
        "validation_loss": loss + shaken[2],
        "validation_accuracy": accuracy + shaken[3],
    }


def record(run, settings, seeds, epochs, diverged):
    """Rows of metrics.parquet; the first `diverged` seeds end in a loss that is not a number."""
    rows = []
    for seed in range(seeds):
        table = pd.DataFrame(measures(settings, seed, epochs))
        table.insert(0, "epoch", np.arange(1, epochs + 1))
        table["status"] = "ok"
        if seed < diverged:
            table = table.head(3 + seed).copy()
            table["status"] = "diverged"
            for loss in ("train_loss", "validation_loss"):
                table[loss] = (2.3 + seed) * 1e3 ** np.clip(np.arange(len(table)) - 1, 0, None)
            table.loc[len(table) - 1, MEASURES] = [np.nan, 0.1, np.nan, 0.1]
        rows.append(table.assign(run=run, seed=seed))
    return pd.concat(rows)


# What no figure shows.
NOT_SHOWN = {
    "early_stopping": {},
    "beside": None,
    "device": "cpu",
    "chooses_final": False,
    "reasons": [],
    "unchosen": None,
    "claims": [],
    "notes": [],
    "missing": [],
}


def made_up(experiments, seeds=5, diverged=None, published=None, final=None):
    """Plan, metrics and summary of a study that was never run.

    `experiments` maps a name to its `vary`; `diverged` maps a value text to a number of seeds and
    `published` to a pair (train, validation).
    """
    diverged, published = diverged or {}, published or {}
    plan = {
        "dataset": "FashionMNIST",
        "validation": "test",
        "seeds": list(range(seeds)),
        "languages": LANGUAGES,
        "baseline": BASELINE,
        "experiments": [],
        "final": None,
        "runs": [],
        **NOT_SHOWN,
    }
    wanted, lengths = [], {}
    for name, vary in experiments.items():
        values = []
        for combination in itertools.product(*vary.values()):
            settings = dict(zip(vary, combination, strict=True))
            texts = {key: text_of(value) for key, value in settings.items()}
            joined = ", ".join(f"{key}={text}" for key, text in texts.items())
            text = joined if len(vary) > 1 else texts[next(iter(vary))]
            values.append(planned(text, settings, wanted, lengths, name))
        plan["experiments"].append(
            {"name": name, "keys": list(vary), "settings": BASELINE, "values": values}
        )
    if final:
        plan["final"] = planned("final", final, wanted, lengths, "final")
    metrics, summary = {}, []
    for name, value, settings in wanted:
        run, bad = value["run"], diverged.get(value["value"], 0)
        if run not in metrics:
            metrics[run] = record(run, settings, seeds, lengths[run], bad)
        summary.append(summarised(name, value, metrics[run], bad, published.get(value["value"])))
    runs = pd.concat(metrics.values(), ignore_index=True)
    return Plan.from_json(plan), runs, pd.DataFrame(summary)


def planned(text, settings, wanted, lengths, experiment):
    everything = {**BASELINE, **settings}
    identity = {key: value for key, value in everything.items() if key != "epochs"}
    run = "_".join(text_of(value) for value in identity.values())
    lengths[run] = max(lengths.get(run, 0), everything["epochs"])
    value = {"value": text, "settings": settings, "run": run, "epochs": everything["epochs"]}
    wanted.append((experiment, value, identity))
    return value


def summarised(experiment, value, rows, diverged, published):
    row = {"experiment": experiment, "value": value["value"], "run": value["run"]}
    row |= {"epochs": value["epochs"], "diverged": diverged}
    last = rows[(rows["epoch"] == value["epochs"]) & (rows["status"] == "ok")]
    row["n"] = len(last)
    for part, number in zip(("train", "validation"), published or (np.nan, np.nan), strict=True):
        accuracies = last[f"{part}_accuracy"].to_numpy()
        found = t_interval(accuracies, SHARE) if len(last) else TInterval(*[np.nan] * 4)
        row |= {f"{part}_accuracy_{name}": each for name, each in found._asdict().items()}
        row[f"{part}_accuracy_published"] = number
    return row


EXPERIMENTS = {
    "learning_rate": {"learning_rate": [0.0001, 0.001, 0.01]},
    "optimizer": {"optimizer": ["sgd", "adam"]},
    "nesterov": {"nesterov": [False, True]},
    "weight_decay": {"weight_decay": [0.0, 0.0001, 0.001]},
    "hidden": {"hidden": [[512, 256], [64, 32], [128, 64]]},
    "epochs": {"epochs": [1, 2, 5]},
    "grid": {"learning_rate": [0.001, 0.01], "batch_size": [32, 100]},
    "large_grid": {"learning_rate": [0.001, 0.01, 0.1, 1.0, 2.0], "dropout": [0.0, 0.2, 0.4]},
    "lengths": {"learning_rate": [0.001, 0.01], "epochs": [2, 4]},
    "three": {"learning_rate": [0.001, 0.01], "batch_size": [32, 100], "nesterov": [False, True]},
    "many": {"dropout": [i / 50 for i in range(45)]},
    "many_rates": {"learning_rate": [round(1e-4 * 1.8**i, 6) for i in range(13)]},
    "many_ranked": {
        "dropout": [0.0, 0.2, 0.4, 0.6],
        "batch_size": [32, 64, 128, 256],
        "momentum": [0.0, 0.5, 0.9],
    },
}


@pytest.fixture(scope="module")
def study():
    return made_up(EXPERIMENTS, seeds=3)


def draw(study, name, folder, code="en"):
    """The texts on the figure, which its SVG keeps as comments."""
    experiment_figures.draw(collect(*study, name), Language(code), folder)
    return texts(folder / f"{name}.{code}.svg")


def texts(svg):
    return re.findall("<!-- (.*?) -->", svg.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "code"),
    list(
        itertools.product(EXPERIMENTS, LANGUAGES)
        if FULL
        else zip(EXPERIMENTS, itertools.cycle(LANGUAGES), strict=False)
    ),
)
def test_every_kind_of_experiment_is_drawn_in_every_language(study, name, code, tmp_path):
    """With its setting as the title, and each language's own decimal sign."""
    setting = next(iter(EXPERIMENTS[name]))
    sign, foreign = {"es": (",", r"\d\.\d"), "en": (".", r"\d,\d")}[code]
    found = draw(study, name, tmp_path, code)
    title = Language(code).text(f"settings.{setting}.title")
    assert any(text.startswith(title) for text in found)
    assert not [text for text in found if re.search(foreign, text)]
    if setting == "learning_rate":
        assert any(f"0{sign}01" in text for text in found)
    with Image.open(tmp_path / f"{name}.{code}.png") as image:
        assert image.width == 1500
        assert image.info["dpi"] == pytest.approx((150, 150), abs=0.1)


def test_the_same_study_gives_the_same_bytes(study, tmp_path):
    for folder in ("one", "two"):
        draw(study, "grid", tmp_path / folder)
    for name in ("grid.en.png", "grid.en.svg"):
        first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
        assert first == second
        assert b"matplotlib.org" not in first


def test_one_seed_has_no_intervals(tmp_path):
    shown = draw(made_up({"dropout": {"dropout": [0.0, 0.2]}}, seeds=1), "dropout", tmp_path)
    assert Language("en").text("figures.no_intervals") in shown


@pytest.mark.parametrize(
    ("published", "shown"),
    [
        ({}, ()),
        ({"0.2": (0.68, 0.73)}, ("train", "validation")),
        ({"0.2": (0.68, np.nan)}, ("train",)),
    ],
)
def test_published_numbers_are_marked_where_there_are_any(published, shown, tmp_path):
    study = made_up({"dropout": {"dropout": [0.0, 0.2]}}, published=published)
    found = draw(study, "dropout", tmp_path)
    for part in ("train", "validation"):
        assert (Language("en").text(f"figures.published_{part}") in found) == (part in shown)


def test_published_numbers_stand_in_the_cells_of_a_grid(tmp_path):
    vary = {"learning_rate": [0.001, 0.01], "batch_size": [32, 100]}
    published = {"learning_rate=0.001, batch_size=32": (0.5, 0.612)}
    found = draw(made_up({"grid": vary}, published=published), "grid", tmp_path)
    assert "◇ 61.2" in found
    assert "◇ 50.0" in found


@pytest.mark.parametrize(
    ("vary", "value"),
    [
        ({"learning_rate": [0.001, 10.0]}, "10.0"),
        (
            {"learning_rate": [0.001, 10.0], "batch_size": [32, 100]},
            "learning_rate=10.0, batch_size=100",
        ),
        (
            {"learning_rate": [0.001, 10.0], "dropout": [0.0, 0.2], "nesterov": [False, True]},
            "learning_rate=10.0, dropout=0.0, nesterov=true",
        ),
    ],
)
@pytest.mark.parametrize("count", [2, 5])
def test_diverged_seeds_are_counted(vary, value, count, tmp_path):
    study = made_up({"bold": vary}, diverged={value: count})
    assert any(f"{count}/5" in text for text in draw(study, "bold", tmp_path))
    assert any("that diverged" in text for text in texts(tmp_path / "bold.en.svg"))


def test_an_experiment_that_only_diverged_is_drawn(tmp_path):
    study = made_up({"bold": {"learning_rate": [9.0, 10.0]}}, diverged={"9.0": 5, "10.0": 5})
    assert "diverged 5/5" in draw(study, "bold", tmp_path)


def test_of_very_many_values_the_extremes_are_drawn(study):
    experiment = collect(*study, "many")
    assert len(experiment.runs) == 45
    accuracies = experiment.table["validation_accuracy_mean"]
    drawn = sorted(accuracies[line.longest] for line in experiment.drawn)
    assert drawn == [*sorted(accuracies)[:20], *sorted(accuracies)[-20:]]


def test_values_of_one_training_share_a_line(study):
    assert len(collect(*study, "epochs").drawn) == 1
    assert [len(line.rows) for line in collect(*study, "lengths").drawn] == [2, 2]


def test_layer_sizes_go_from_small_to_large(study):
    assert collect(*study, "hidden").settings[0].texts == ["64-32", "128-64", "512-256"]


def test_an_unknown_experiment_is_named(study):
    with pytest.raises(StudyError, match="no experiment 'dropuot'; it has: learning_rate"):
        collect(*study, "dropuot")


def test_a_summary_of_another_plan_is_refused(study):
    plan, metrics, summary = study
    with pytest.raises(StudyError, match="no row for 'adam' of experiment 'optimizer'"):
        collect(plan, metrics, summary[summary["value"] != "adam"], "optimizer")


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.0001, 0.001, 0.01], "log"),
        ([32, 64, 100, 128, 256], "log"),
        ([0.0, 0.0001, 0.001, 0.01], "zero_and_log"),
        ([0, 0.0001, 0.01], "zero_and_log"),
        ([0.0, 0.2, 0.4, 0.6], "linear"),
        ([5, 10, 15, 20, 30], "linear"),
        ([16, 32, 64], "linear"),
        ([0.1, 0.5, 1.0], "linear"),
        ([0.001, 0.1], "linear"),
        ([0.5], "linear"),
        ([0.0], "linear"),
        ([[64, 32], [128]], "sizes"),
        (["sgd", "adam"], "names"),
        ([True, False], "names"),
    ],
)
def test_the_axis_suits_the_values(values, scale):
    assert scale_of(values) == scale


@pytest.mark.parametrize(
    ("values", "scale"),
    [([0.001, 0.01, 0.1], "log"), ([0.0, 0.01, 0.1], "symlog"), ([1, 2], "linear")],
)
def test_the_axis_gets_its_scale(values, scale):
    axes = Figure().subplots()
    setting = figures_setting("learning_rate", values)
    experiment_figures.use_setting(axes, setting, np.array(values, float), Language("en"))
    assert axes.get_xscale() == scale


def figures_setting(key, values):
    vary = {"x": {key: values}}
    return collect(*made_up(vary, seeds=1), "x").settings[0]


def test_a_curve_leaves_diverged_seeds_out_of_the_mean():
    rows = record("run", {k: v for k, v in BASELINE.items() if k != "epochs"}, 3, 8, diverged=1)
    curve = drawing.curve(rows, "validation_accuracy", 8)
    kept = rows[rows["seed"] > 0].pivot(index="epoch", columns="seed", values="validation_accuracy")
    assert curve.mean == pytest.approx(kept.mean(axis=1).to_numpy())
    assert [len(values) for values in curve.diverged] == [3]


def test_a_seed_that_diverges_later_counts_until_then():
    rows = record("run", {k: v for k, v in BASELINE.items() if k != "epochs"}, 1, 8, diverged=1)
    assert drawing.diverged_seeds(rows, 2) == set()
    assert drawing.diverged_seeds(rows, 3) == {0}


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([1, 5, 9], [1, 5, 9]),
        ([5, 5], [4.5, 5.5]),
        ([0, 0, 0], [0, 1, 2]),
        ([10, 3, 10], [9, 3, 10]),
    ],
)
def test_labels_are_moved_apart_as_little_as_it_takes(places, expected):
    assert drawing.apart(places, 1, 0, 10).tolist() == expected


@pytest.mark.parametrize(
    ("code", "percent", "ticks", "labels"),
    [
        ("es", True, [0.7, 0.725, 0.75], ["70,0\xa0%", "72,5\xa0%", "75,0\xa0%"]),
        ("en", True, [-0.2, 0.0, 1.0], ["", "0\xa0%", "100\xa0%"]),
        ("es", False, [0.5, 1.0], ["0,5", "1,0"]),
        ("en", False, [1, 2], ["1", "2"]),
    ],
)
def test_ticks_are_written_in_the_language(code, percent, ticks, labels):
    formatter = drawing.NumberFormatter(Language(code), percent)
    assert formatter.format_ticks(ticks) == labels


@pytest.mark.parametrize(
    ("last", "ticks"), [(1, [1]), (3, [1, 2, 3]), (30, [1, 5, 10, 15, 20, 25, 30])]
)
def test_epochs_are_counted_from_1(last, ticks):
    axes = Figure().subplots()
    drawing.use_epochs(axes, last, Language("en"))
    assert axes.get_xticks().tolist() == ticks


@pytest.mark.parametrize("values", [[np.nan], [1e9, np.inf]])
def test_curves_without_anything_to_show_have_limits_all_the_same(values):
    axes = Figure().subplots()
    lost = drawing.Curve(*[np.empty(0)] * 3, [np.array(values)])
    drawing.fit_to_curves(axes, [lost, lost], (0.0, math.inf))
    assert axes.get_ylim() == pytest.approx((-0.5, 10.5))


FINAL = {"optimizer": "adam", "batch_size": 32, "epochs": 6}
CLASSES = {"es": ["cero", "uno", "dos"], "en": ["zero", "one", "two"]}
FINAL_FIGURES = [
    "final_curves",
    "final_confusion",
    "final_classes",
    "final_calibration",
    "final_confused",
    "final_mistakes",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The folder of a small data set's files; `made_up.yaml` beside it describes them."""
    folder = tmp_path_factory.mktemp("data")
    write_dataset(folder, CLASSES, train=30, test=60, side=8)
    for packed in folder.glob("*.gz"):
        packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    return folder


def run_program(name, monkeypatch, **options):
    """Run scripts/<name>.py as from the command line."""
    words = [[f"--{option}", str(value)] for option, value in options.items()]
    monkeypatch.setattr(sys, "argv", [name, *itertools.chain.from_iterable(words)])
    runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")


def write_final_study(folder, data, seeds, diverged, mistaken=20, languages=LANGUAGES):
    """Files for draw_final.py, as its options; each seed takes `mistaken` images for class 0."""
    plan, metrics, _ = made_up(
        {"dropout": {"dropout": [0.0, 0.2]}},
        seeds=seeds,
        final=FINAL,
        diverged={"final": diverged},
    )
    dataset = describe(str(data / "mnistlike.yaml"))
    labels = np.array(dataset.load(data).test.y)
    alive = list(range(diverged, seeds))
    confidence = np.linspace(0.5, 0.99, len(labels), dtype=np.float32)
    probabilities = np.empty((len(alive), len(labels), 3), np.float32)
    probabilities[:] = (1 - confidence[:, None]) / 2
    predicted = np.where(np.arange(len(labels)) < mistaken, 0, labels)
    np.put_along_axis(
        probabilities,
        np.broadcast_to(predicted[:, None], (len(alive), len(labels), 1)),
        confidence[:, None],
        2,
    )
    made = evaluation.Provenance(plan.final.run, 6, alive, dataset.name, dataset.digest)
    evaluated = evaluation.Evaluation(made, probabilities, labels)
    evaluation.write(folder / "final.safetensors", evaluated)
    runs = []
    for run, rows in metrics.groupby("run"):
        path = folder / "runs" / run / "record.parquet"
        path.parent.mkdir(parents=True)
        rows = rows.assign(train_eval_accuracy=0.9, seconds=0.1)[RECORD.names]
        pq.write_table(pa.Table.from_pandas(rows, RECORD, preserve_index=False), path)
        epochs = int(rows["epoch"].max())
        runs.append(Run(run, BASELINE, epochs, plan.seeds))
    plan = replace(plan, dataset=str(data / "mnistlike.yaml"), runs=runs, languages=languages)
    (folder / "plan.json").write_text(plan.to_json())
    return {
        "plan": folder / "plan.json",
        "runs": folder / "runs",
        "evaluation": folder / "final.safetensors",
        "data": data,
        "output": folder / "figures",
    }


@pytest.mark.parametrize(
    ("seeds", "diverged", "languages"),
    [(3, 0, LANGUAGES), (1, 0, ENOUGH), (3, 1, ENOUGH), (2, 2, ENOUGH)],
)
def test_the_final_model_is_drawn_whatever_became_of_its_seeds(
    seeds, diverged, languages, data, tmp_path, monkeypatch
):
    options = write_final_study(tmp_path, data, seeds, diverged, languages=languages)
    # Of its final model, the reference study printed no training accuracy.
    printed = SimpleNamespace(train_accuracy=None, validation_accuracy=0.88)
    monkeypatch.setattr(published, "lookup", lambda *of: printed)
    run_program("draw_final", monkeypatch, **options)
    made = {path.name for path in options["output"].iterdir()}
    assert made == {
        f"{name}.{code}.{suffix}"
        for name in FINAL_FIGURES
        for code in languages
        for suffix in ("png", "svg")
    }
    for name in FINAL_FIGURES[1:]:
        found = texts(options["output"] / f"{name}.en.svg")
        told = any(text.startswith("Every seed diverged") for text in found)
        assert told == (seeds == diverged)
    if seeds > diverged and "es" in languages:
        spanish = texts(options["output"] / "final_classes.es.svg")
        assert set(CLASSES["es"]) < set(spanish)
        assert not [text for text in spanish if re.search(r"\d\.\d", text)]
    assert "Published, validation" in texts(options["output"] / "final_curves.en.svg")


def test_a_model_without_mistakes_says_so(data, tmp_path, monkeypatch):
    options = write_final_study(tmp_path, data, 2, 0, mistaken=0, languages=ENOUGH)
    run_program("draw_final", monkeypatch, **options)
    for name, key in (("final_mistakes", "no_mistakes"), ("final_confused", "no_confusions")):
        found = texts(options["output"] / f"{name}.en.svg")
        assert Language("en").text(f"figures.{key}") in found


def test_a_single_image_is_no_plural(data, tmp_path, monkeypatch):
    options = write_final_study(tmp_path, data, seeds=1, diverged=0, mistaken=2)
    run_program("draw_final", monkeypatch, **options)
    for code, one in (("en", "1 image"), ("es", "1 imagen")):
        found = texts(options["output"] / f"final_confused.{code}.svg")
        assert one in found
        assert not [text for text in found if re.search(r"\b1 im.*s$", text)]


def test_the_most_frequent_class_stands_beside_accuracies(data, tmp_path, monkeypatch):
    """Entry 6: of classes that are not equally frequent, a share is soon had."""
    own = tmp_path / "data"
    shutil.copytree(data, own)
    labels = (np.arange(60) < 6).astype(np.uint8)
    (own / "test-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    for folder, told, languages in ((own, True, LANGUAGES), (data, False, ENOUGH)):
        made = tmp_path / str(told)
        made.mkdir()
        options = write_final_study(made, folder, 2, 0, languages=languages)
        run_program("draw_final", monkeypatch, **options)
        wanted = {name: options[name] for name in ("plan", "runs", "data", "output")}
        run_program("draw_experiment", monkeypatch, **wanted)
        for code in languages:
            name = CLASSES[code][0]
            language = Language(code)
            share = language.percent(0.9)
            note = language.text("figures.unbalanced", classes=name, share=share)
            for figure in ("dropout", "final_curves"):
                found = " ".join(texts(options["output"] / f"{figure}.{code}.svg"))
                assert (note in found) == told


def test_an_evaluation_on_other_data_is_refused(data, tmp_path, monkeypatch):
    options = write_final_study(tmp_path, data, seeds=1, diverged=0)
    found = evaluation.read_evaluation(
        options["evaluation"], describe(data / "mnistlike.yaml").load(data)
    )
    other = replace(found.provenance, digest="0123456789ab")
    evaluation.write(options["evaluation"], replace(found, provenance=other))
    with pytest.raises(SystemExit, match="final.safetensors: is about other images"):
        run_program("draw_final", monkeypatch, **options)


def test_the_mosaic_names_the_classes(data, tmp_path, monkeypatch):
    options = write_final_study(tmp_path, data, seeds=1, diverged=0)
    wanted = {name: options[name] for name in ("plan", "data", "output")}
    run_program("draw_mosaic", monkeypatch, **wanted)
    for code, names in CLASSES.items():
        assert set(names) < set(texts(options["output"] / f"mosaic.{code}.svg"))


def test_the_program_draws_an_experiment_in_every_language(data, tmp_path, monkeypatch):
    """From the records of its own runs: those of others need not be there."""
    options = write_final_study(tmp_path, data, seeds=2, diverged=0)
    plan = Plan.read(options["plan"])
    shutil.rmtree(options["runs"] / plan.final.run)
    wanted = {name: options[name] for name in ("plan", "runs", "data", "output")}
    run_program("draw_experiment", monkeypatch, **wanted, experiments="dropout")
    assert {path.name for path in options["output"].iterdir()} == {
        f"dropout.{code}.{ending}" for code in plan.languages for ending in ("png", "svg")
    }
    with pytest.raises(SystemExit, match="no experiment 'dropuot'; it has: dropout"):
        run_program("draw_experiment", monkeypatch, **wanted, experiments="dropuot")


def test_a_dollar_sign_in_a_name_is_one_and_no_mathematics():
    with drawing.sheet(2, "cost: $5 or $6") as figure:
        axes = figure.add_subplot(xticks=[0], xticklabels=["$x_1$"])
        shown = [axes.text(0, 0, "$x_1$"), axes.annotate("$x_1$", (0, 0)), *axes.get_xticklabels()]
        shown += [axes.set_title("$x_1$"), figure._suptitle]
        figure.draw_without_rendering()
        # As mathematics it would be narrower, without its signs.
        plain = axes.text(0, 0, "$x_1$", parse_math=False)
        assert shown[0].get_window_extent().width == plain.get_window_extent().width
        assert [text.get_parse_math() for text in shown] == [False] * len(shown)
