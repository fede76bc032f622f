"""Which part of a training's time its evaluation takes, in each of the study's shapes.

The workflow records the seconds of an epoch, training and evaluation together; here both are timed
with the library's own training, all seeds in one stack, one process on each core at once.
"""

import argparse
import functools
import multiprocessing
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from machine import available_cores
from output import write_json
from peer import FILES, ROOT
from reference_study import CLASSES, TRAININGS, WIDTH, Training

sys.path.insert(0, str(ROOT / "scripts"))

from study.data import scaling
from study.learning.examples import Examples
from study.learning.trainer import TRAIN_EVALUATION
from study.runs import models, replicates
from study.spec import settings
from study.spec.models import MLP
from study.spec.tasks import CLASSIFICATION


def shape(values: Mapping[str, Any]) -> str:
    """What an epoch's time depends on, of a training with the settings `values`."""
    hidden = "-".join(map(str, values["hidden"]))
    return f"{values['optimizer']}, dropout {values['dropout']}, {hidden}, {values['batch_size']}"


def read_examples(folder: Path, part: str) -> Examples:
    pixels = np.fromfile(folder / FILES[f"{part}_images"], np.uint8, offset=16)
    labels = np.fromfile(folder / FILES[f"{part}_labels"], np.uint8, offset=8)
    return Examples.from_arrays(pixels.reshape(-1, 1, WIDTH, WIDTH), labels, "cpu")


def share(study_training: Training, folder: Path, seeds: int) -> tuple[str, float]:
    """The training's shape, and evaluation's part of an epoch."""
    torch.set_num_threads(1)
    train, validation = read_examples(folder, "train"), read_examples(folder, "test")
    learned_under = settings.identity(MLP.hyperparameters.complete(asdict(study_training)))
    network = models.architecture(MLP, learned_under, train.shape, CLASSES, scaling.PIXELS)
    objective = models.objective(CLASSIFICATION, learned_under, CLASSES)
    run = replicates.Training(
        learned_under, train, validation, network, CLASSIFICATION, objective, "cpu", "cpu"
    )
    trainer = run.trainer(range(seeds))
    trainer.evaluate(validation)
    # The processor's time, of which waiting for a core is no part.
    start = time.process_time()
    trainer.train_epoch(train)
    trained = time.process_time()
    trainer.evaluate(validation)
    trainer.evaluate(train.first(TRAIN_EVALUATION))
    evaluated = time.process_time()
    return shape(asdict(study_training)), (evaluated - trained) / (evaluated - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT / "results/data/FashionMNIST", metavar="FOLDER"
    )
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--cores", type=int, default=len(available_cores()), metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the shares here as well")
    options = parser.parse_args()

    distinct = {shape(asdict(study_training)): study_training for study_training in TRAININGS}
    measure = functools.partial(share, folder=options.data, seeds=options.seeds)
    with multiprocessing.get_context("spawn").Pool(options.cores) as pool:
        shares = {}
        for words, part in pool.imap_unordered(measure, distinct.values()):
            shares[words] = part
            print(f"{part:6.1%}  {words}", flush=True)
    if options.json:
        write_json(options.json, shares)


if __name__ == "__main__":
    main()
