"""Train one run: all its seeds, from wherever its saved state stands, as far as is asked for.

Everything lies in the run's folder: the saved state (state.safetensors) and the journal, which
training goes on from, what is made from them (record.parquet, weights.safetensors and
settings.json), and benchmark.tsv, what training took. With nothing left to train, only what is
made from the state is written.
"""

import argparse
import contextlib
import functools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from study.commands import options
from study.data import base, datasets
from study.data.scaling import of_inputs, of_targets
from study.runs import (
    attempts,
    checkpoint,
    failures,
    fingerprint,
    gpus,
    libraries,
    model_loading,
    models,
    provenance,
)
from study.runs.checkpoint import Target
from study.spec import models as model_files
from study.spec.config import checked_settings, validated
from study.spec.models import MLP, Model
from study.spec.settings import has_an_end, identity
from study.spec.tasks import REGRESSION, TASKS, Task
from study.support import object_store
from study.support.errors import StudyError
from study.support.files import move_aside
from study.support.locks import run_lock

if TYPE_CHECKING:
    from study.learning.examples import Examples
    from study.learning.objective import Objective

STOPPING = (signal.SIGTERM, signal.SIGINT)

# By a clock that only goes forward: that of the day may be set back meanwhile.
STARTED = time.monotonic()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="training settings, JSON"
    )
    parser.add_argument("--model", default=MLP.word, help="mlp, cnn, or file.py:Name")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument(
        "--epochs", type=int, required=True, help="epochs that every seed is to have"
    )
    parser.add_argument(
        "--keep-request",
        action="store_true",
        help="settings.json goes on telling what was asked for before, by another job",
    )
    parser.add_argument(
        "--keep-epochs",
        type=int,
        nargs="+",
        default=[],
        help="epochs whose weights are kept beside those of the last",
    )
    parser.add_argument("--dataset", required=True, help="a name, or the path of a description")
    parser.add_argument(
        "--validation",
        type=json.loads,
        default='"test"',
        help='JSON, as in plan.json: "test" or {"from": "train", "size": n, "seed": s}',
    )
    options.add(parser, "--data")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda", "mps"])
    parser.add_argument(
        "--arithmetic",
        default=os.environ.get("ARITHMETIC", libraries.AUTO),
        help="mkl, onednn or auto, as in the config; by default $ARITHMETIC, or auto",
    )
    parser.add_argument(
        "--runs-per-gpu",
        type=options.positive,
        default=os.environ.get("RUNS_PER_GPU", "1"),
        help="how many processes may share a GPU of this machine; by default $RUNS_PER_GPU, or 1",
    )
    parser.add_argument(
        "--stored-runs",
        default=os.environ.get("STORED_RUNS"),
        help="where the state of runs is kept too, s3://bucket/path; by default $STORED_RUNS",
    )
    options.add(parser, "--output", help="the run's folder")


@dataclass(frozen=True)
class Job:
    """One run and how far it is to be trained, with what, where.

    Attributes:
        model: What network is trained.
        settings: Those that change what is learned, complete.
        target: The seeds and epochs that are wanted.
        keeps_request: Whether settings.json goes on telling what was asked for before.
        validation: "test", or which training examples are held out.
        data_folder: That of the data set's files.
        folder: The run's, named after it.
        arithmetic: The config's: which library multiplies, on a CPU.
        stored_runs: Where folders of runs are kept too, None for nowhere.
    """

    model: Model
    settings: Mapping[str, Any]
    target: Target
    keeps_request: bool
    dataset: base.Dataset
    validation: str | Mapping[str, Any]
    data_folder: Path
    device: str
    arithmetic: str
    runs_per_gpu: int
    stored_runs: str | None
    folder: Path

    @classmethod
    def from_arguments(cls, args: argparse.Namespace) -> "Job":
        """Raises StudyError, naming the key, for what the schema of a config does not take."""
        model = model_files.describe(args.model)
        settings = {"epochs": args.epochs}
        settings |= checked_settings(args.settings, "--settings", model)
        if has_an_end(settings) and args.epochs > settings["epochs"]:
            raise StudyError(
                f"--epochs: {args.epochs} are more than the {settings['epochs']} that the schedule "
                "of --settings ends with"
            )
        wanted = {
            "model": args.model,
            "data": {"validation": args.validation},
            "seeds": args.seeds,
            "arithmetic": args.arithmetic,
            "baseline": settings | {"epochs": args.epochs},
            "experiments": {"kept": {"vary": {"epochs": args.keep_epochs or [1]}}},
        }
        validated(wanted, "train.py")
        return cls(
            model=model,
            settings=identity(model.hyperparameters.complete(settings)),
            target=Target(args.seeds, args.epochs, args.keep_epochs),
            keeps_request=args.keep_request,
            dataset=datasets.describe(datasets.from_word(args.dataset)),
            validation=args.validation,
            data_folder=args.data,
            device=args.device,
            arithmetic=args.arithmetic,
            runs_per_gpu=args.runs_per_gpu,
            stored_runs=args.stored_runs,
            folder=args.output,
        )

    @property
    def checkpoint(self) -> Path:
        return self.folder / "state.safetensors"

    @property
    def journal(self) -> Path:
        return self.folder / "journal.jsonl"

    @functools.cached_property
    def data(self) -> base.Data:
        return self.dataset.load(self.data_folder)

    @functools.cached_property
    def architecture(self) -> models.Architecture:
        outputs, scaling = len(self.data.targets), of_inputs(self.data.train.x)
        return models.architecture(self.model, self.settings, self.data.inputs, outputs, scaling)

    @property
    def loss(self) -> Callable[..., Any] | None:
        """That of the model's file, where it has one."""
        return self.architecture.loss if isinstance(self.architecture, models.Module) else None

    @property
    def task(self) -> Task:
        return TASKS[self.data.task]

    @property
    def objective(self) -> "Objective":
        spread = of_targets(self.data.train.y) if self.task is REGRESSION else None
        return models.objective(self.task, self.settings, len(self.data.targets), spread, self.loss)

    def told(self) -> contextlib.AbstractContextManager[None]:
        """Tells what goes wrong in a model's file as a fault of that file."""
        if self.model.is_perceptron:
            return contextlib.nullcontext()
        return model_loading.told(model_files.source(self.model.word), "it is trained")

    def tell(self, line: str) -> None:
        """Print a line, and keep it in the run's training.log."""
        log(line, self.folder)


def log(line: str, folder: Path | None = None) -> None:
    """Print a line, and keep it in the run's training.log: Snakemake empties its logs."""
    line = f"{time.strftime('%H:%M:%S')} {line}"
    print(line, flush=True)
    if folder:
        with (folder / "training.log").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def stop(signal_number: int, frame: object) -> None:
    """Leave by way of an exception, so that the state is saved."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)
    # Not by print, which the signal may have interrupted.
    name = signal.Signals(signal_number).name
    os.write(sys.stdout.fileno(), f"told to stop by {name}: saving the state\n".encode())
    sys.exit(128 + signal_number)


def run(args: argparse.Namespace) -> None:
    job = Job.from_arguments(args)
    for number in STOPPING:
        signal.signal(number, stop)
    job.folder.mkdir(parents=True, exist_ok=True)
    with run_lock(job.folder, tell=job.tell):
        failures.refuse_known_bug(job.folder, Path(__file__))
        ended_before = attempts.begin(job.folder)
        if ended_before:
            job.tell(ended_before)
        try:
            train(job)
        except BaseException as error:
            failures.note(job.folder, error, Path(__file__))
            if failures.kind_of(error) != failures.STOPPED:
                attempts.end(job.folder)
            raise
        attempts.end(job.folder)
    sys.stdout.flush()
    # Without the interpreter's farewell, in which torch takes half a second and 100 MB.
    os._exit(0)


def train(job: Job) -> None:
    for file in (job.checkpoint, job.journal):
        if file.is_dir():
            job.tell(f"{file}: a folder is in the way, now {move_aside(file).name}")
    stored = job.stored_runs and f"{job.stored_runs}/{job.folder.name}"
    storage = object_store.Folder(stored)
    storage.fetch(job.journal, job.checkpoint)
    learning = fingerprint.learning(
        job.dataset.digest, job.validation, job.dataset.outputs, job.model, job.task.name
    )
    known = matching_state(job.checkpoint, fingerprint.of_run(job.settings, learning))
    known.syntax = known.syntax or fingerprint.training_syntax(
        fingerprint.kind_of(job.model), job.task.name
    )
    open_seeds = job.target.open_seeds(known)
    if open_seeds:
        log(f"{job.folder.name}: training seeds {open_seeds} to epoch {job.target.epochs}")
        job.dataset.verify(job.data_folder)
        with gpus.slot(job.device, job.runs_per_gpu, job.tell):
            extend(job, known, storage)
    else:
        log(f"{job.folder.name}: everything is there, nothing to train")
    # Arrow takes memory that training has had until here.
    from study.runs import completeness, outputs, usage

    request = job.target
    if job.keeps_request and (made := completeness.read_settings(job.folder)):
        before = Target(**made["request"])
        request = request if before.open_seeds(known) else before
    outputs.write(job.folder, known, request, job.settings, job.architecture, job.task)
    if open_seeds:
        usage.write(job.folder / "benchmark.tsv", time.monotonic() - STARTED)


def extend(job: Job, known: checkpoint.Checkpoint, storage: object_store.Folder) -> None:
    """Train what `known` lacks, saving it on the way."""
    # With torch, which takes seconds to import, and is needed only here.
    from study.runs import arithmetic, device, replicates

    chosen = device.choose(job.device)
    kind = device.kind(chosen)
    library = library_of(job, known, kind) if chosen == "cpu" else libraries.MKL
    arithmetic.settle(library)
    learned, evaluated = examples(job, chosen)
    run = replicates.Training(
        job.settings,
        learned,
        evaluated,
        job.architecture,
        job.task,
        job.objective,
        chosen,
        kind,
        libraries.named(library, arithmetic.digest(chosen)),
    )
    if isinstance(job.architecture, models.Module):
        source = model_files.source(job.model.word)
        model_loading.check(source, job.architecture, run.objective, learned.first(2), chosen)
    journal = replicates.Journal(job.journal)

    def save(reached: checkpoint.Checkpoint) -> None:
        journal.sync()
        checkpoint.write(job.checkpoint, reached)
        storage.keep(journal.path, job.checkpoint, tell=job.tell)

    known.made_by = provenance.made_by()
    with job.told():
        replicates.extend(run, known, job.target, replicates.Saver(save), journal, job.tell)


def library_of(job: Job, known: checkpoint.Checkpoint, kind: str) -> str:
    """What is to multiply on this processor; where the config leaves it open, what did before.

    Replicates of another `kind` of device have no say: they cannot go on here.
    """
    from study.runs import product_library

    open_seeds = job.target.open_seeds(known)
    begun = [
        libraries.of(known.replicates[seed].arithmetic)
        for seed in sorted(known.replicates, key=lambda seed: (seed not in open_seeds, seed))
        if known.replicates[seed].device == kind
    ]
    library = product_library.chosen(
        job.arithmetic, job.settings.get("precision", "float32"), begun
    )
    if library != libraries.MKL:
        job.tell(f"matrix products are {library}'s")
    return library


def examples(job: Job, device: str) -> tuple["Examples", "Examples"]:
    """Those that are learned from, and those that every epoch is evaluated on."""
    from study.learning.examples import Examples
    from study.learning.split import hold_out

    def tensors(part: base.Examples) -> Examples:
        return Examples.from_arrays(part.x, part.y, device)

    learned = tensors(job.data.train)
    if job.validation == "test":
        return learned, tensors(job.data.test)
    size, count = job.validation["size"], len(learned)
    if size >= count:
        raise StudyError(
            f"data.validation.size: {size} of {count} training {job.dataset.plural} leave none to "
            "train on"
        )
    kept, held_out = hold_out(learned.targets, size, job.validation["seed"])
    return learned.chosen(kept), learned.chosen(held_out)


def matching_state(path: Path, wanted: dict[str, str]) -> checkpoint.Checkpoint:
    """The saved state, or an empty one, said so, where it cannot be gone on from."""
    if not path.exists():
        return checkpoint.Checkpoint(wanted)
    try:
        found = checkpoint.read_checkpoint(path)
    except checkpoint.DamagedStateError as error:
        log(f"{error}; training anew")
        return checkpoint.Checkpoint(wanted)
    changed = fingerprint.differing(found.fingerprint, wanted)
    if changed:
        log(f"{path}: made with other {' and '.join(changed)}; training anew")
        return checkpoint.Checkpoint(wanted)
    return found
