"""Write results/plan.json: the configuration, resolved into experiments and the runs they share."""

import argparse
import json
from pathlib import Path

from study.spec import config, plan, shares
from study.support import receipts
from study.support.errors import report_errors
from study.support.files import write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--plan", type=Path, help="the plan as the workflow has resolved it")
    source.add_argument("--configfile", type=Path, help="a configuration, to check or to resolve")
    parser.add_argument("--output", type=Path, help="plan.json; without it, only check")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    args = parser.parse_args()

    if args.configfile:
        text = plan.resolve(config.load([args.configfile])).to_json()
    else:
        text = shares.plan_json(json.loads(args.plan.read_text(encoding="utf-8")))
    if args.output:
        with receipts.receipt(args.receipt, args.plan, []) as made:
            write_text(args.output, text)
            made.append(args.output)


if __name__ == "__main__":
    main()
