"""Train one run: all its seeds, from wherever its saved state stands, as far as is asked for.

Everything lies in the run's folder: the saved state (state.safetensors) and the journal, which
training goes on from, what is made from them (record.parquet, weights.safetensors and
settings.json), and benchmark.tsv, what training took. With nothing left to train, only what is
made from the state is written.
"""

import argparse
import functools
import json
import math
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from study.commands import options
from study.data import datasets
from study.data.base import Data, Examples
from study.runs import attempts, checkpoint, failures, fingerprint, gpus, provenance
from study.runs.checkpoint import Request
from study.spec.config import checked_settings, validated
from study.spec.settings import complete, identity
from study.support import object_store
from study.support.errors import StudyError
from study.support.files import move_aside
from study.support.locks import run_lock

STOPPING = (signal.SIGTERM, signal.SIGINT)

# By a clock that only goes forward: that of the day may be set back meanwhile.
STARTED = time.monotonic()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="training settings, JSON"
    )
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument(
        "--epochs", type=int, required=True, help="epochs that every seed is to have"
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


def refuse_nonsense(args: argparse.Namespace) -> None:
    """Hold what is asked for against the schema of a config, whose keys the message names."""
    settings = checked_settings(args.settings, "--settings")
    asked = {
        "data": {"validation": args.validation},
        "seeds": args.seeds,
        "baseline": settings | {"epochs": args.epochs},
        "experiments": {"kept": {"vary": {"epochs": args.keep_epochs or [1]}}},
    }
    validated(asked, "train.py")


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
    refuse_nonsense(args)
    for number in STOPPING:
        signal.signal(number, stop)
    args.output.mkdir(parents=True, exist_ok=True)
    with run_lock(args.output, tell=functools.partial(log, folder=args.output)):
        failures.refuse_known_bug(args.output, Path(__file__))
        ended_before = attempts.begin(args.output)
        if ended_before:
            log(ended_before, args.output)
        try:
            train(args)
        except BaseException as error:
            failures.note(args.output, error, Path(__file__))
            if failures.kind_of(error) != failures.STOPPED:
                attempts.end(args.output)
            raise
        attempts.end(args.output)
    sys.stdout.flush()
    # Without the interpreter's farewell, in which torch takes half a second and 100 MB.
    os._exit(0)


def train(args: argparse.Namespace) -> None:
    dataset = datasets.describe(args.dataset)
    data = dataset.load(args.data)
    settings = identity(complete(checked_settings(args.settings, "--settings")))
    request = Request(args.seeds, args.epochs, args.keep_epochs)
    path, journal = args.output / "state.safetensors", args.output / "journal.jsonl"
    for file in (path, journal):
        if file.is_dir():
            log(f"{file}: a folder is in the way, now {move_aside(file).name}", args.output)
    storage = object_store.Folder(args.stored_runs and f"{args.stored_runs}/{args.output.name}")
    storage.fetch(journal, path)
    learning = fingerprint.learning(dataset.digest, args.validation)
    learned_from = fingerprint.of_run(settings, learning)
    known = matching_state(path, learned_from)
    known.syntax = known.syntax or fingerprint.training_syntax()
    open_seeds = request.open_seeds(known)
    if open_seeds:
        log(f"{args.output.name}: training seeds {open_seeds} to epoch {request.epochs}")
        dataset.verify(args.data)
        tell = functools.partial(log, folder=args.output)
        with gpus.slot(args.device, args.runs_per_gpu, tell):
            extend(args, data, settings, known, request, path, storage)
    else:
        log(f"{args.output.name}: everything is there, nothing to train")
    # Arrow takes memory that training has had until here.
    from study.runs import outputs, usage

    sizes = [math.prod(data.inputs), *settings["hidden"], len(data.targets)]
    outputs.write(args.output, known, request, settings, sizes)
    if open_seeds:
        usage.write(args.output / "benchmark.tsv", time.monotonic() - STARTED)


def extend(
    args: argparse.Namespace,
    data: Data,
    settings: dict[str, Any],
    known: checkpoint.State,
    request: Request,
    path: Path,
    storage: object_store.Folder,
) -> None:
    # With torch, which takes seconds to import, and is needed only here.
    from study.learning.split import hold_out
    from study.learning.training import Images
    from study.runs import arithmetic, device, replicates

    chosen = device.choose(args.device)
    arithmetic.settle()

    def images(part: Examples) -> Images:
        pixels = part.x.reshape(len(part), -1)
        return Images.from_arrays(pixels, part.y, data.inputs[-1], chosen)

    learned = images(data.train)
    if args.validation == "test":
        judged = images(data.test)
    else:
        size, count = args.validation["size"], len(learned.labels)
        if size >= count:
            raise StudyError(
                f"data.validation.size: {size} of {count} training images leave none to train on"
            )
        kept, held_out = hold_out(learned.labels, size, args.validation["seed"])
        learned, judged = learned.chosen(kept), learned.chosen(held_out)
    run = replicates.Run(
        settings,
        learned,
        judged,
        len(data.targets),
        chosen,
        device.kind(chosen),
        arithmetic.digest(chosen),
    )
    journal = replicates.Journal(args.output / "journal.jsonl")
    tell = functools.partial(log, folder=args.output)

    def save(reached: checkpoint.State) -> None:
        journal.sync()
        checkpoint.write(path, reached)
        storage.keep(journal.path, path, tell=tell)

    known.made_by = provenance.made_by()
    replicates.extend(
        run,
        known,
        request,
        replicates.Saver(save),
        journal,
        tell,
    )


def matching_state(path: Path, wanted: dict[str, str]) -> checkpoint.State:
    """The saved state, or an empty one, said so, where it cannot be gone on from."""
    if not path.exists():
        return checkpoint.State(wanted)
    try:
        found = checkpoint.read(path)
    except checkpoint.DamagedStateError as error:
        log(f"{error}; training anew")
        return checkpoint.State(wanted)
    changed = [key for key, value in wanted.items() if found.fingerprint.get(key) != value]
    if changed:
        log(f"{path}: made with other {' and '.join(changed)}; training anew")
        return checkpoint.State(wanted)
    return found
