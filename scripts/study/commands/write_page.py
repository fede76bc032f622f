"""Write the page, the report in one file that answers the pointer, in one language."""

import argparse
import json
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from study.data.sources import CHECKSUMS
from study.page import document
from study.report.data import collect
from study.spec.beside import files_beside
from study.support import receipts
from study.support.errors import report_errors
from study.support.files import write_text
from study.support.language import Language


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="results/plan.json")
    parser.add_argument("--metrics", type=Path, required=True, help="results/metrics.parquet")
    parser.add_argument("--summary", type=Path, required=True, help="results/summary.parquet")
    parser.add_argument("--claims", type=Path, required=True, help="results/claims.parquet")
    parser.add_argument("--runs", type=Path, required=True, help="results/runs")
    parser.add_argument(
        "--evaluation", type=Path, help="results/final.safetensors, where there is a final model"
    )
    parser.add_argument("--figures", type=Path, required=True, help="folder of the figures")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set's files")
    parser.add_argument("--report", type=Path, required=True, help="report.<language>.md")
    parser.add_argument("--language", required=True, help="its language")
    parser.add_argument("--output", type=Path, required=True, help="report.<language>.html")
    parser.add_argument("--receipt", type=Path, help="where to note what it was made from")
    arguments = parser.parse_args()

    plan = json.loads(arguments.plan.read_text(encoding="utf-8"))
    read = [arguments.metrics, arguments.summary, arguments.claims, arguments.report]
    read += [arguments.data / CHECKSUMS, *filter(None, [arguments.evaluation])]
    read += map(Path, files_beside(plan["beside"]))
    read += document.figures_of(plan, arguments.figures, arguments.language)
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        metrics = pd.read_parquet(arguments.metrics, columns=document.COLUMNS)
        summary = pd.read_parquet(arguments.summary)
        claims = pq.read_table(arguments.claims).to_pylist()
        study = collect(
            plan, metrics, summary, arguments.runs, arguments.data, arguments.evaluation, claims
        )
        report = arguments.report.read_text(encoding="utf-8")
        language = Language(arguments.language)
        text = document.render(study, language, report, arguments.figures, arguments.data)
        write_text(arguments.output, text)
        made.append(arguments.output)


if __name__ == "__main__":
    main()
