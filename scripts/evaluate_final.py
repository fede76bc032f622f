"""Let the final model's networks classify the official test images."""

import argparse
import json
from pathlib import Path

from study.final import evaluation
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--run", type=Path, required=True, help="the final model's results/runs/…")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="results/final.safetensors")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    evaluated = evaluation.evaluate(plan, arguments.run, arguments.data)
    evaluation.write(arguments.output, evaluated)


if __name__ == "__main__":
    main()
