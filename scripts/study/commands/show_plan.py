"""Show what a study asks for, what of it is there, and what the rest will cost; train nothing."""

import argparse
import json
import os
import sys

from study.commands import options
from study.data import datasets
from study.data.base import CHECKSUMS
from study.operations import plan_table
from study.runs import fingerprint
from study.spec import choice, config, data_fit, searches
from study.spec.resolution import resolve
from study.support.errors import StudyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    options.add(source, "--configfile")
    source.add_argument("--config-json", help="the whole configuration, as JSON")
    options.add(parser, "--runs", required=False, default="results/runs")
    cores = os.cpu_count()
    parser.add_argument("--cores", type=options.positive, default=cores, help="for the time")
    parser.add_argument("--all", action="store_true", help="every run, however many there are")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> None:
    if args.config_json:
        try:
            settings = config.validated(json.loads(args.config_json), "--config-json")
        except json.JSONDecodeError as error:
            raise StudyError(f"--config-json: not JSON: {error}") from None
    else:
        settings = config.load([args.configfile])
    results = args.runs.parent
    resolved = resolve(
        settings, choice.read_choice(results / choice.NAME), searches.history_in(results)
    )
    dataset = datasets.describe(resolved.dataset)
    data_fit.check_description(resolved, dataset)
    data = args.runs.parent / "data" / dataset.name
    if (data / CHECKSUMS).exists():
        for note in data_fit.check_files(resolved, dataset, data):
            print(f"note: {note}", file=sys.stderr)
    learning = fingerprint.learning(
        dataset.digest, resolved.validation, dataset.outputs, resolved.model, dataset.task
    )
    found = plan_table.table(resolved, args.runs, learning, args.cores)
    print(plan_table.to_json(found) if args.json else plan_table.in_words(found, args.all))
