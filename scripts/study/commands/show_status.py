"""Tell how far a study is: what is finished, trains, waits or failed, and the time left."""

import argparse
import shlex

from study.commands import options
from study.commands.unlock import is_at_work
from study.data import datasets
from study.operations import status
from study.operations.progress import Progress
from study.runs import fingerprint
from study.spec import choice, config, searches
from study.spec.resolution import resolve


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--configfile", "--results")
    parser.add_argument(
        "--again",
        nargs="+",
        default=["make", "report"],
        help="the command that runs the study, in words; comes last",
    )
    parser.add_argument(
        "--since",
        type=float,
        help="tell what a call of the workflow has done that began then (`date +%%s`)",
    )


def run(args: argparse.Namespace) -> None:
    resolved = resolve(
        config.load([args.configfile]),
        choice.read_choice(args.results / choice.NAME),
        searches.history_in(args.results),
    )
    dataset = datasets.describe(resolved.dataset)
    learning = fingerprint.learning(
        dataset.digest, resolved.validation, dataset.outputs, resolved.model, dataset.task
    )
    snapshot = Progress(resolved, args.results / "runs", learning).snapshot()
    if args.since is not None:
        print(status.closing(snapshot, resolved, args.results, args.since))
        return
    is_running = is_at_work(args.results.resolve().parent)
    print(status.in_words(snapshot, resolved, args.results, is_running, shlex.join(args.again)))
