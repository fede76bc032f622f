"""Export the measures of every run to TensorBoard's event files, in place of the last export."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from study.commands import options
from study.results import event_files
from study.support.errors import StudyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--metrics", required=False, default="results/metrics.parquet")
    default = "results/tensorboard"
    options.add(parser, "--output", required=False, default=default, help="a folder")


def run(args: argparse.Namespace) -> None:
    if not args.metrics.is_file():
        raise StudyError(f"{args.metrics}: is missing; run `make report` first")
    count = event_files.export(pd.read_parquet(args.metrics), args.output)
    viewer = Path(sys.executable).with_name("tensorboard")
    print(f"{count} replicates are in {args.output}. Then:")
    print(f"  {viewer} --logdir {args.output.resolve()}")
