"""Write results/plan.json: the configuration, resolved into experiments and the runs they share."""

import argparse
import json

from study.commands import options
from study.spec import config, plan, shares
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
        text = plan.resolve(config.load([args.configfile])).to_json()
    else:
        text = shares.plan_json(json.loads(args.plan.read_text(encoding="utf-8")))
    if args.output:
        with receipts.receipt(args.receipt, args.plan, []) as made:
            write_text(args.output, text)
            made.append(args.output)
