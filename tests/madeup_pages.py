"""Pages of studies that were never trained, with figures that are as small as can be."""

import functools
import math

import pyarrow.parquet as pq

import madeup
from study.page import document
from study.report import document as report
from study.report.data import collect
from study.spec.tasks import CLASSIFICATION
from study.support.language import Language

FINAL = ["curves", "confusion", "classes", "calibration", "confused", "mistakes"]

language = functools.cache(Language)


def level(settings, epoch):
    """Accuracies somewhat like the real ones: every setting matters, and more epochs help."""
    reached = 0.6 + 0.05 * math.log10(settings["learning_rate"] / 0.0001)
    reached += 0.14 * (settings["optimizer"] != "sgd") - 0.05 * settings["dropout"]
    reached += 0.01 * math.log2(sum(settings["hidden"]) / 192)
    reached -= 0.02 * math.log2(settings["batch_size"] / 100)
    return min(reached + 0.0008 * epoch, 0.99)


class Made:
    """A made-up study on disk, with figures that are as small as can be."""

    def __init__(self, study, folder):
        self.study, self.folder = study, folder
        self.arguments = madeup.write(study, folder)
        self.figures = folder / "figures"
        self.figures.mkdir()
        names = [each.name for each in study.plan.experiments]
        names += [*(f"final_{part}" for part in FINAL), "mosaic", "glance", "glance_cost"]
        for name in names:
            for code in study.plan.languages:
                text = (
                    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1">'
                    f"<title>{name}</title></svg>"
                )
                (self.figures / f"{name}.{code}.svg").write_text(text, encoding="utf-8")
        claims = pq.read_table(folder / "claims.parquet").to_pylist()
        self.told = collect(
            study.plan,
            study.metrics[document.columns(CLASSIFICATION)],
            study.summary,
            folder / "runs",
            folder / "data",
            folder / "final.safetensors",
            claims,
        )

        self.reports = {}

    def report(self, code):
        if code not in self.reports:
            self.reports[code] = report.render(self.told, language(code), "figures")
        return self.reports[code]

    def page(self, code="en"):
        return document.render(self.told, language(code), self.report(code), self.figures)


def small(own_dataset, experiments, **other):
    baseline = {"learning_rate": 0.01, "hidden": [16, 8], "batch_size": 50, "epochs": 4}
    return {
        "data": {"dataset": own_dataset},
        "seeds": 3,
        "baseline": baseline,
        "experiments": experiments,
    } | other
