"""Show what a study asks for, what of it is there, and what the rest will cost; train nothing."""

import argparse
import json
import os
import sys
from pathlib import Path

from study.data import datasets
from study.operations import plan_table
from study.runs import fingerprint
from study.spec import choice, config, data_fit, plan
from study.support.errors import StudyError, report_errors

CONFIG = Path(__file__).parents[1] / "config.yaml"


def positive(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError
    return number


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--configfile", type=Path, default=CONFIG, help="the study's config")
    source.add_argument("--config-json", help="the whole configuration, as JSON")
    parser.add_argument("--runs", type=Path, default="results/runs", help="the folder of all runs")
    parser.add_argument("--cores", type=positive, default=os.cpu_count(), help="for the time")
    parser.add_argument("--all", action="store_true", help="every run, however many there are")
    parser.add_argument("--json", action="store_true", help="for programs")
    args = parser.parse_args()

    if args.config_json:
        try:
            settings = config.validated(json.loads(args.config_json), "--config-json")
        except json.JSONDecodeError as error:
            raise StudyError(f"--config-json: not JSON: {error}") from None
    else:
        settings = config.load([args.configfile])
    resolved = plan.resolve(settings, choice.read(args.runs.parent / choice.NAME))
    dataset = datasets.describe(resolved.dataset)
    data_fit.check_description(resolved, dataset)
    data = args.runs.parent / "data" / dataset.name
    if (data / datasets.CHECKSUMS).exists():
        for note in data_fit.check_files(resolved, dataset, data):
            print(f"note: {note}", file=sys.stderr)
    learning = fingerprint.learning(dataset.digest, resolved.validation)
    found = plan_table.table(resolved, args.runs, learning, args.cores)
    print(plan_table.to_json(found) if args.json else plan_table.in_words(found, args.all))


if __name__ == "__main__":
    main()
