"""Choose the final model by the experiments' results: the best value of each."""

import argparse
import json
from pathlib import Path

from study.data import datasets
from study.results import findings, metrics, summary
from study.search import best_of_each
from study.spec import config, plan
from study.support.errors import report_errors
from study.support.files import write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, required=True, help="the configuration's file")
    parser.add_argument("--runs", type=Path, required=True, help="the folder of all runs")
    parser.add_argument("--output", type=Path, required=True, help="choice.json")
    args = parser.parse_args()

    resolved = plan.resolve(config.load([args.configfile]))
    planned = json.loads(resolved.to_json())
    measures = metrics.collect(planned["runs"], args.runs).to_pandas()
    name = datasets.describe(resolved.dataset).name
    summarised = summary.summarise(planned, measures, name).to_pandas()
    chosen = best_of_each.choose(findings.experiments(planned, summarised), planned)
    write_text(args.output, chosen.to_json())


if __name__ == "__main__":
    main()
