"""Write results/plan.json: the configuration, resolved into experiments and the runs they share."""

import argparse

from study.commands import options
from study.spec import config, plan
from study.spec.resolution import resolve
from study.support import receipts
from study.support.files import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    options.add(source, "--plan", required=False, help="the plan as the workflow has resolved it")
    options.add(
        source, "--configfile", default=None, help="a configuration, to check or to resolve"
    )
    options.add(parser, "--output", required=False, help="plan.json; without it, only check")
    options.add(parser, "--receipt")


def run(args: argparse.Namespace) -> None:
    if args.configfile:
        resolved = resolve(config.load([args.configfile]))
    else:
        resolved = plan.Plan.read(args.plan)
    if args.output:
        with receipts.receipt(args.receipt, args.plan, []) as made:
            write_text(args.output, resolved.to_json())
            made.append(args.output)
