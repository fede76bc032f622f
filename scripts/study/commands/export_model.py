"""Write the final model to take away: weights, an ONNX graph and a model card."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from study.data.sources import CHECKSUMS
from study.final import export, onnx_graph
from study.report import model_card
from study.report.data import METRICS_COLUMNS, collect
from study.support import receipts
from study.support.errors import StudyError, report_errors
from study.support.files import atomic_path, write_text


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="results/metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="results/summary.parquet")
    parser.add_argument("--runs", type=Path, required=True, help="results/runs")
    parser.add_argument("--evaluation", type=Path, required=True, help="results/final.safetensors")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--output", type=Path, required=True, help="results/model")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    if plan["final"] is None:
        raise StudyError("the plan has no final model: add `final:` to the configuration")
    run = arguments.runs / plan["final"]["run"]
    read = [arguments.metrics, arguments.summary, run / "weights.safetensors"]
    read += [arguments.evaluation, arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        _export(plan, run, arguments)
        made += [arguments.output / name for name in (export.FILE, "model.onnx", "README.md")]


def _export(plan: Mapping[str, Any], run: Path, arguments: argparse.Namespace) -> None:
    metrics = pd.read_parquet(arguments.metrics, columns=METRICS_COLUMNS)
    summary = pd.read_parquet(arguments.summary)
    study = collect(plan, metrics, summary, arguments.runs, arguments.data, arguments.evaluation)
    exported = export.of_plan(plan, run, arguments.data)
    export.write(arguments.output / export.FILE, exported)
    with atomic_path(arguments.output / "model.onnx") as temporary:
        temporary.write_bytes(onnx_graph.build(exported).SerializeToString(deterministic=True))
    write_text(arguments.output / "README.md", model_card.render(study, exported.description))


if __name__ == "__main__":
    main()
