"""Resolve a configuration into results/plan.json: its experiments and the runs that they share."""

import argparse
from pathlib import Path

from study.data.datasets import describe
from study.runs import completeness, fingerprint
from study.spec import choice, config, plan
from study.support.errors import report_errors
from study.support.files import write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True, help="the configuration's file")
    parser.add_argument("--choice", type=Path, help="choice.json, where results choose the final")
    parser.add_argument("--output", type=Path, help="plan.json; without it, only check")
    parser.add_argument("--runs", type=Path, default="results/runs", help="the folder of all runs")
    args = parser.parse_args()

    settings = config.load([args.configfile])
    chosen = choice.read(args.choice) if args.choice else None
    resolved = plan.resolve(settings, chosen)
    if settings["partial"]:
        learning = fingerprint.learning(describe(resolved.dataset).digest, resolved.validation)
        resolved = completeness.finished_part(resolved, args.runs, learning)
    if args.output:
        write_text(args.output, resolved.to_json())


if __name__ == "__main__":
    main()
