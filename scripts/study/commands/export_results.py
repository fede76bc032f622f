"""Write the results as another tool keeps them, in place of the last export."""

import argparse
from importlib import import_module
from pathlib import Path

from study.commands import options

# The tool, what makes its files (study.exports), and where in results/ they go.
EXPORTS = {
    "csv": ("csv_file", "export/metrics.csv"),
    "mlflow": ("mlflow_store", "export/mlflow.db"),
    "optuna": ("optuna_studies", "export/optuna.db"),
    "tensorboard": ("event_files", "tensorboard"),
    "wandb": ("wandb_runs", "export/wandb"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, choices=EXPORTS, help="the tool")
    options.add(parser, "--results")
    places = ", ".join(place for _, place in EXPORTS.values())
    options.add(parser, "--output", required=False, help=f"unless in results/: {places}")


def run(args: argparse.Namespace) -> None:
    module, place = EXPORTS[args.to]
    results = Path(args.results)
    # No other is imported: each brings its tool along.
    print(import_module(f"study.exports.{module}").export(results, args.output or results / place))
