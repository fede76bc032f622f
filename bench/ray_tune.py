"""The study under Ray Tune: the loop of in_memory.py, one trial on each core."""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, fields

import peer

# Read when Ray is imported: no report of its use over the network, no token in the home folder.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_AUTH_MODE"] = "disabled"

import ray
import torch
from ray import tune

import in_memory
from reference_study import TRAININGS

BY_NAME = {training.name: training for training in TRAININGS}


def objective(config: dict[str, str], work: peer.Work) -> None:
    """One trial: a training of the study, named in `config`, on one core."""
    torch.set_num_threads(1)
    torch.manual_seed(work.seed)
    train = in_memory.open_data(work.data)
    for epoch in train(work.shortened(BY_NAME[config["training"]])):
        tune.report(asdict(epoch))


def train_all(work: peer.Work) -> Iterator[peer.Result]:
    names = [training.name for training in work.longest_first()]
    with tempfile.TemporaryDirectory() as folder:
        ray.init(num_cpus=work.cores, include_dashboard=False, log_to_driver=False)
        try:
            tuner = tune.Tuner(
                tune.with_parameters(objective, work=work),
                param_space={"training": tune.grid_search(names)},
                # A process serves trial after trial, and opens the data once.
                tune_config=tune.TuneConfig(reuse_actors=True),
                run_config=tune.RunConfig(storage_path=folder, verbose=0),
            )
            results = tuner.fit()
        finally:
            ray.shutdown()
    if results.errors:
        raise results.errors[0]
    for trial in results:
        metrics = trial.metrics
        yield peer.Result(
            BY_NAME[trial.config["training"]],
            metrics["training_iteration"],
            metrics["time_total_s"],
            peer.Epoch(*(metrics[field.name] for field in fields(peer.Epoch))),
        )


if __name__ == "__main__":
    peer.run(__doc__, train_all, at_once=True)
