"""Write the page, the report in one file that answers the pointer, in one language."""

import argparse
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.data.base import CHECKSUMS
from study.page import document
from study.report.data import collect, importances
from study.results.metrics import read as read_metrics
from study.spec.beside import files_beside
from study.spec.plan import Plan
from study.spec.searches import importance_of
from study.spec.texts import language_of
from study.support import receipts
from study.support.files import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics", "--summary", "--claims", "--runs")
    where = "results/final.safetensors, where there is a final model"
    options.add(parser, "--evaluation", required=False, help=where)
    options.add(parser, "--figures", "--data")
    parser.add_argument("--report", type=Path, required=True, help="report.<language>.md")
    options.add(parser, "--language", help="its language")
    options.add(parser, "--output", help="report.<language>.html")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    plan = Plan.read(arguments.plan)
    read = [arguments.metrics, arguments.summary, arguments.claims, arguments.report]
    read += [arguments.data / CHECKSUMS, *filter(None, [arguments.evaluation])]
    read += [arguments.runs.parent / importance_of(search.name) for search in plan.searches]
    read += map(Path, files_beside(plan.beside))
    read += document.figures_of(plan, arguments.figures, arguments.language)
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        metrics = read_metrics(arguments.metrics, document.columns)
        summary = pd.read_parquet(arguments.summary)
        claims = pq.read_table(arguments.claims).to_pylist()
        study = collect(
            plan,
            metrics,
            summary,
            arguments.runs,
            arguments.data,
            arguments.evaluation,
            claims,
            importances(plan, arguments.runs.parent),
        )
        report = arguments.report.read_text(encoding="utf-8")
        language = language_of(plan, arguments.language)
        text = document.render(study, language, report, arguments.figures)
        write_text(arguments.output, text)
        made.append(arguments.output)
