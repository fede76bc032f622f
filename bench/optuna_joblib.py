"""The study under Optuna: the loop of in_memory.py, one trial in each of joblib's processes."""

import functools
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import joblib
import optuna
import torch
from optuna.storages.journal import JournalFileBackend

import in_memory
import peer
from reference_study import TRAININGS

BY_NAME = {training.name: training for training in TRAININGS}


def objective(trial: optuna.Trial, work: peer.Work) -> float:
    """One trial: a training of the study, on one core."""
    training = BY_NAME[trial.suggest_categorical("training", list(BY_NAME))]
    torch.set_num_threads(1)
    torch.manual_seed(work.seed)
    train = in_memory.open_data(work.data)
    for step, epoch in enumerate(train(work.shortened(training)), start=1):
        trial.report(epoch.validation_accuracy, step)
    trial.set_user_attr("last", asdict(epoch))
    return epoch.validation_accuracy


def storage(path: Path) -> optuna.storages.JournalStorage:
    return optuna.storages.JournalStorage(JournalFileBackend(str(path)))


def run_trial(path: Path, work: peer.Work) -> None:
    """Run the next trial of the queue."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.load_study(study_name="study", storage=storage(path))
    study.optimize(functools.partial(objective, work=work), n_trials=1)


def train_all(work: peer.Work) -> Iterator[peer.Result]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.log")
        study = optuna.create_study(study_name="study", storage=storage(path), direction="maximize")
        for training in work.longest_first():
            study.enqueue_trial({"training": training.name})
        joblib.Parallel(n_jobs=work.cores)(
            joblib.delayed(run_trial)(path, work) for _ in work.trainings
        )
        for trial in study.trials:
            yield peer.Result(
                BY_NAME[trial.params["training"]],
                len(trial.intermediate_values),
                trial.duration.total_seconds(),
                peer.Epoch(**trial.user_attrs["last"]),
            )


if __name__ == "__main__":
    peer.run(__doc__, train_all, at_once=True)
