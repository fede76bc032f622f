"""Resolve a configuration into results/plan.json: its experiments and the runs that they share."""

import argparse
import json
from pathlib import Path

from study import choice, config, fingerprint, plan, standing
from study.datasets import describe
from study.errors import StudyError, report_errors
from study.files import write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--config", help="the whole configuration, as JSON")
    source.add_argument("--configfile", type=Path, help="the configuration's file")
    parser.add_argument("--choice", type=Path, help="choice.json, where results choose the final")
    parser.add_argument("--output", type=Path, help="plan.json; without it, only check")
    parser.add_argument("--runs", type=Path, default="results/runs", help="the folder of all runs")
    args = parser.parse_args()

    if args.configfile:
        settings = config.load([args.configfile])
    else:
        try:
            settings = config.validated(json.loads(args.config), "--config")
        except json.JSONDecodeError as error:
            raise StudyError(f"--config: not JSON: {error}") from None
    chosen = choice.read(args.choice) if args.choice else None
    resolved = plan.resolve(settings, chosen)
    if settings["partial"]:
        learning = fingerprint.learning(describe(resolved.dataset).digest, resolved.validation)
        resolved = standing.finished_part(resolved, args.runs, learning)
    if args.output:
        write_text(args.output, resolved.to_json())


if __name__ == "__main__":
    main()
