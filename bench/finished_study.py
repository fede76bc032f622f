"""A study of any number of runs that look finished: whole files, made-up numbers."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mnistlike import write_dataset
from study.data import datasets
from study.data.scaling import PIXELS
from study.learning.layout import parameters_width
from study.runs import checkpoint, fingerprint, models, outputs, provenance
from study.runs.checkpoint import Checkpoint, Replicate, Target
from study.search import samplers
from study.search.samplers import Measured
from study.spec import config, plan
from study.spec.models import MLP
from study.spec.plan import run_name, runs_of
from study.spec.resolution import resolve
from study.spec.searches import Search, Taken, Trial, path_of
from study.spec.tasks import CLASSIFICATION

EPOCHS, SEEDS = 30, 5

# Values of one experiment at most; more runs are more experiments.
MOST_VALUES = 1000

SIDE, CLASSES, VALIDATION_IMAGES = 28, 10, 200

# What a search draws from, at random: a sampler that goes by the scores takes long.
SPACE = {
    "learning_rate": {"low": 0.0001, "high": 1.0, "log": True},
    "dropout": {"low": 0.0, "high": 0.5},
}


def write_study(folder: Path, runs: int, trials: int = 0) -> None:
    """Write the config study.yaml of so many runs into `folder`, and a made-up data set.

    With a search of so many `trials` beside them, if any.
    """
    write_dataset(folder / "data", train=600, test=VALIDATION_IMAGES, side=SIDE)
    experiments = {}
    for number, first in enumerate(range(0, runs, MOST_VALUES)):
        count = min(MOST_VALUES, runs - first)
        rates = [float(f"{rate:.4g}") for rate in np.geomspace(1e-4, 1, count)]
        experiments[f"rates_{number}"] = {
            "with": {"weight_decay": number / 1000},
            "vary": {"learning_rate": rates},
        }
    study = {
        "data": {"dataset": "data/mnistlike.yaml", "sources": ["data"]},
        "seeds": SEEDS,
        # The smallest network: the size of its weights is not what is measured.
        "baseline": {"hidden": [2], "epochs": EPOCHS},
        "experiments": experiments,
        "report": {"languages": ["en", "es"]},
    }
    if trials:
        halving = {"min_epochs": 3, "reduction_factor": 3}
        searched = {"space": SPACE, "sampler": "random", "trials": trials, "halving": halving}
        study["search"] = {"tuned": searched}
    with (folder / "study.yaml").open("w", encoding="utf-8") as file:
        YAML().dump(study, file)


def finish(folder: Path, processes: int) -> None:
    """Write what training would have left of every run of the study in `folder`.

    Of a search, of the first half of its trials, and the files of the steps that drew them.
    """
    os.chdir(folder)
    planned = resolve(config.load([Path("study.yaml")]))
    dataset = datasets.describe(planned.dataset)
    searches = [_half_drawn(search, planned, dataset.name) for search in planned.searches]
    for search in searches:
        _write_steps(search)
    runs = runs_of(planned.experiments, searches, None, planned.seeds, chooses_final=False)
    learning = fingerprint.learning(
        dataset.digest, planned.validation, dataset.outputs, planned.model, dataset.task
    )
    write = partial(_finish_run, learning=learning, made_by=provenance.made_by())
    with ProcessPoolExecutor(processes) as pool:
        list(pool.map(write, runs, chunksize=50))


def _half_drawn(search: Search, planned: plan.Plan, dataset: str) -> Search:
    """The search, the first half of its trials drawn."""
    known: list[Measured] = []
    while len(known) < search.most_trials // 2:
        step = search.steps[len(search.taken)]
        trials = []
        for drawn in samplers.draw(search, known, step.drawn):
            whole = planned.hyperparameters.complete({**search.settings, **drawn})
            run = run_name(whole, dataset, planned.validation, planned.model)
            trials.append(Trial(len(known), step.name, drawn, run, step.epochs, step.seeds))
            known.append(Measured(drawn, 0.5))
        asked = [trial.number for trial in trials]
        taken = Taken(search.until(step.name).digest, trials, asked)
        search = replace(search, taken=[*search.taken, taken])
    return search


def _write_steps(search: Search) -> None:
    """Write the files of the steps that are taken, and the marks that their trials are trained."""
    for step, taken in zip(search.steps, search.taken, strict=False):
        path = Path("results") / path_of(search.name, step.name)
        folder = path.with_suffix("")
        folder.mkdir(parents=True)
        path.write_text(taken.to_json(), encoding="utf-8")
        for trial in taken.drawn:
            (folder / f"{trial.run}.trained").touch()


def _finish_run(run: plan.Run, learning: dict, made_by: dict) -> None:
    # A power cut may take what is made up.
    os.fsync = lambda descriptor: None
    folder = Path("results/runs") / run.run
    folder.mkdir(parents=True)
    rate = np.log10(run.settings["learning_rate"])
    random = np.random.default_rng(int(run.run[-8:], 16))
    replicates = {seed: _replicate(rate, run.epochs, random) for seed in run.seeds}
    saved = Checkpoint(
        fingerprint.of_run(run.settings, learning),
        replicates,
        fingerprint.training_syntax(),
        made_by,
    )
    checkpoint.write(folder / "state.safetensors", saved)
    network = models.architecture(MLP, run.settings, (SIDE, SIDE), CLASSES, PIXELS)
    outputs.write(folder, saved, Target(run.seeds, run.epochs), run.settings, network)


def _replicate(rate: float, epochs: int, random: np.random.Generator) -> Replicate:
    """Learns best at the tenth power `rate` = -1.5 of the learning rate."""
    made_up = {"seconds": np.full(epochs, 0.5)}
    accuracy = (0.85 - 0.1 * (rate + 1.5) ** 2) * (1 - np.exp(-np.arange(1, epochs + 1) / 5))
    accuracy = np.clip(accuracy + random.normal(scale=0.004, size=epochs), 0, 1)
    made_up |= {name: accuracy for name in CLASSIFICATION.columns if name.endswith("accuracy")}
    made_up["train_accuracy"] = accuracy - 0.03
    made_up |= {name: 1.2 - accuracy for name in CLASSIFICATION.columns if name.endswith("loss")}
    width = parameters_width([SIDE**2, 2, CLASSES])
    return Replicate(
        "cpu made up",
        np.stack([made_up[name] for name in CLASSIFICATION.columns], axis=1),
        tensors={"parameters": np.zeros(width, np.float32)},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the study's folder")
    parser.add_argument("--runs", type=int, default=100, help="how many runs to ask for")
    parser.add_argument("--trials", type=int, default=0, help="those of a search beside them")
    parser.add_argument("--finish", action="store_true", help="also what its runs would have left")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="to finish in")
    options = parser.parse_args()
    if options.finish:
        finish(options.folder, options.processes)
    else:
        write_study(options.folder, options.runs, options.trials)


if __name__ == "__main__":
    main()
