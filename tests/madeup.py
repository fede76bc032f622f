"""Results of studies that were never trained: real plans and summaries of made-up records."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mnistlike import idx_bytes
from study.data import datasets
from study.final import evaluation
from study.results import findings, summary, verdicts
from study.search import best_of_each
from study.spec import claims, config
from study.spec.models import MLP
from study.spec.plan import Plan, Run, run_name
from study.spec.resolution import resolve

# The validation accuracy of a run with these settings after an epoch.
Level = Callable[[Mapping[str, Any], int], float]

SEED_DEVIATION = 0.002
IMAGES = {"train": 600, "test": 200}


@dataclass(frozen=True)
class MadeUp:
    """The plan, metrics.parquet and summary.parquet of a study."""

    plan: Plan
    metrics: pd.DataFrame
    summary: pd.DataFrame

    def swap(self, experiment: str, one: str, other: str) -> "MadeUp":
        """The same study, but for one experiment's values having each other's accuracies."""
        changed = self.summary.copy()
        is_here = changed["experiment"] == experiment
        first, second = (
            changed.index[is_here & (changed["value"] == text)][0] for text in (one, other)
        )
        ours = [
            column
            for column in changed
            if "accuracy" in column and not column.endswith("published")
        ]
        changed.loc[[first, second], ours] = changed.loc[[second, first], ours].to_numpy()
        return MadeUp(self.plan, self.metrics, changed)


def make(
    settings: Mapping[str, Any], level: Level, diverged: Mapping[str, int] | None = None
) -> MadeUp:
    """A study of config `settings`; `diverged` seeds are lost in the runs whose name has a text.

    Where results are to choose its final model, they have not yet; see `choose`.
    """
    planned = resolve(config.validated(settings, "made up"))
    return _measured(planned, level, diverged or {})


def choose(
    settings: Mapping[str, Any], level: Level, diverged: Mapping[str, int] | None = None
) -> MadeUp:
    """The study of config `settings`, with the final model that its results choose."""
    study = make(settings, level, diverged)
    choice = best_of_each.choose(findings.experiments(study.plan, study.summary), study.plan)
    chosen = resolve(config.validated(settings, "made up"), choice)
    return _measured(chosen, level, diverged or {})


def _measured(planned: Plan, level: Level, diverged: Mapping[str, int]) -> MadeUp:
    rows = [record(run, level, diverged) for run in planned.runs]
    metrics = pd.concat(rows, ignore_index=True)
    name = datasets.describe(planned.dataset).name
    return MadeUp(planned, metrics, summary.summarise(planned, metrics, name).to_pandas())


def record(run: Run, level: Level, diverged: Mapping[str, int]) -> pd.DataFrame:
    """The rows of metrics.parquet of one run; `diverged` is that of `make`."""
    lost = max((n for text, n in diverged.items() if text in run.run), default=0)
    digest = int.from_bytes(hashlib.sha256(run.run.encode()).digest()[:4])
    # Another for each epoch: what two epochs of a run differ by scatters between its seeds.
    noise = np.random.default_rng(digest).normal(size=(run.epochs, len(run.seeds)))
    noise -= noise.mean(axis=1, keepdims=True)
    if len(run.seeds) > 1:
        noise *= SEED_DEVIATION / noise.std(axis=1, ddof=1, keepdims=True)
    frames = []
    for i, (seed, shift) in enumerate(zip(run.seeds, noise.T, strict=True)):
        epochs = np.arange(1, run.epochs + 1)
        validation = np.array([level(run.settings, epoch) for epoch in epochs]) + shift
        frame = pd.DataFrame(
            {
                "run": run.run,
                "seed": seed,
                "epoch": epochs,
                "train_loss": 1.1 - validation,
                "train_accuracy": validation - 0.2 * run.settings["dropout"] + 0.01,
                "validation_loss": 1.2 - validation,
                "validation_accuracy": validation,
                "train_eval_accuracy": validation + 0.012 + 3 * shift,
                "seconds": 0.25,
                "status": "ok",
            }
        )
        if i < lost:
            frame = frame.head(2).copy()
            frame.loc[frame.index[-1], ["train_loss", "validation_loss"]] = np.nan
            frame.loc[frame.index[-1], "status"] = "diverged"
        frames.append(frame)
    return pd.concat(frames)


def write(study: MadeUp, folder: Path) -> list[str]:
    """Write all that the report is made from into `folder`; give write_report.py's arguments."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.json").write_text(study.plan.to_json(), encoding="utf-8")
    study.metrics.to_parquet(folder / "metrics.parquet")
    study.summary.to_parquet(folder / "summary.parquet")
    pq.write_table(judged(study), folder / "claims.parquet")
    dataset = datasets.describe(study.plan.dataset)
    labels = _write_data(dataset, folder / "data")
    for run in study.plan.runs:
        _write_run(folder / "runs" / run.run)
    if study.plan.final:
        _write_evaluation(study, dataset, labels, folder / "final.safetensors")
    return [
        *("--plan", str(folder / "plan.json"), "--metrics", str(folder / "metrics.parquet")),
        *("--summary", str(folder / "summary.parquet"), "--claims", str(folder / "claims.parquet")),
        *("--runs", str(folder / "runs")),
        *("--figures", str(folder / "figures"), "--data", str(folder / "data")),
        *("--evaluation", str(folder / "final.safetensors"), "--output", str(folder)),
    ]


def judged(study: MadeUp) -> pa.Table:
    """The rows of claims.parquet."""
    return verdicts.judge(claims.asked(study.plan), study.plan, study.summary, study.metrics)


def _write_data(dataset: datasets.Dataset, folder: Path) -> np.ndarray:
    folder.mkdir(exist_ok=True)
    for part, count in IMAGES.items():
        labels = np.arange(count) % len(dataset.targets)
        images = np.zeros((count, 8, 8), np.uint8)
        (folder / dataset.files[f"{part}_images"].name).write_bytes(idx_bytes(images))
        (folder / dataset.files[f"{part}_labels"].name).write_bytes(idx_bytes(labels))
    return labels


def _write_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    described = {
        "commit": "0123456789ab",
        "versions": {"python": "3.11.0", "torch": "2.0.0"},
        "machine": {"processor": "A processor", "cores": "2", "system": "Linux x86_64"},
        "devices": ["cpu"],
    }
    (folder / "settings.json").write_text(json.dumps(described), encoding="utf-8")


def _write_evaluation(
    study: MadeUp, dataset: datasets.Dataset, labels: np.ndarray, path: Path
) -> None:
    """Each seed gives 0.9 to the right class, but for its first 15 + seed images to the next."""
    final = study.plan.final
    rows = study.metrics[study.metrics["run"] == final.run]
    is_last = (rows["epoch"] == final.epochs) & (rows["status"] == "ok")
    seeds = [seed for seed in rows.loc[is_last, "seed"] if seed in study.plan.seeds]
    classes = len(dataset.targets)
    shape = (len(seeds), len(labels), classes)
    probabilities = np.full(shape, 0.1 / (classes - 1), np.float32)
    for seed, own in zip(seeds, probabilities, strict=True):
        predicted = (labels + (np.arange(len(labels)) < 15 + seed)) % classes
        np.put_along_axis(own, predicted[:, None], np.float32(0.9), 1)
    made = evaluation.Provenance(final.run, final.epochs, seeds, dataset.name, dataset.digest)
    evaluation.write(path, evaluation.Evaluation(made, probabilities, labels))


def run_of(study: MadeUp, **settings: Any) -> str:
    """The name of the run with the baseline's settings but for `settings`."""
    chosen = MLP.hyperparameters.complete({**study.plan.baseline, **settings})
    return run_name(chosen, study.plan.dataset, study.plan.validation)
