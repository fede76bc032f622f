"""Write the report in each language of the study."""

import argparse
import os
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from study.commands import options
from study.data.base import CHECKSUMS
from study.report import document
from study.report.data import collect, importances, metrics_columns
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
    options.add(parser, "--output", help="folder of report.<language>.md")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    plan = Plan.read(arguments.plan)
    read = [arguments.metrics, arguments.summary, arguments.claims, arguments.data / CHECKSUMS]
    read += filter(None, [arguments.evaluation])
    read += [arguments.runs.parent / importance_of(search.name) for search in plan.searches]
    read += map(Path, files_beside(plan.beside))
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        metrics = read_metrics(arguments.metrics, metrics_columns)
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
        figures = Path(os.path.relpath(arguments.figures, arguments.output)).as_posix()
        for code in plan.languages:
            report = arguments.output / f"report.{code}.md"
            language = language_of(plan, code)
            write_text(report, document.render(study, language, figures))
            made.append(report)
