"""Let the final model's networks classify the official test images."""

import argparse
import json
from pathlib import Path

from study.data.sources import CHECKSUMS
from study.final import evaluation
from study.support import receipts
from study.support.errors import report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--run", type=Path, required=True, help="the final model's results/runs/…")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="results/final.safetensors")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    read = [arguments.run / "weights.safetensors", arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        evaluated = evaluation.evaluate(plan, arguments.run, arguments.data)
        evaluation.write(arguments.output, evaluated)
        made.append(arguments.output)


if __name__ == "__main__":
    main()
