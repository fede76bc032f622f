"""Export the measures of every run to TensorBoard's event files, in place of the last export."""

import argparse

from study.commands import options
from study.exports import event_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--metrics", required=False, default="results/metrics.parquet")
    default = "results/tensorboard"
    options.add(parser, "--output", required=False, default=default, help="a folder")


def run(args: argparse.Namespace) -> None:
    print(event_files.export_file(args.metrics, args.output))
