"""Choose the final model by the experiments' results: the best value of each."""

import argparse
import json
from pathlib import Path

from study import analysis, config, datasets, metrics, plan, selection, summary
from study.errors import report_errors
from study.files import write_text


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
    chosen = selection.choose(analysis.experiments(planned, summarised), planned)
    write_text(args.output, chosen.to_json())


if __name__ == "__main__":
    main()
