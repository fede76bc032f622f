"""Let the final model's networks classify the official test images."""

import argparse
from pathlib import Path

from study.commands import options
from study.data.base import CHECKSUMS
from study.final import evaluation
from study.spec.plan import Plan
from study.support import receipts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan")
    parser.add_argument("--run", type=Path, required=True, help="the final model's results/runs/…")
    options.add(parser, "--data")
    options.add(parser, "--output", help="results/final.safetensors")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    plan = Plan.read(arguments.plan)
    read = [arguments.run / "weights.safetensors", arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        evaluated = evaluation.evaluate(plan, arguments.run, arguments.data)
        evaluation.write(arguments.output, evaluated)
        made.append(arguments.output)
