"""Write the final model to take away: weights, an ONNX graph and a model card."""

import argparse
from pathlib import Path

import pandas as pd
from onnx import ModelProto

from study.commands import options
from study.data import datasets
from study.data.base import CHECKSUMS
from study.final import export, onnx_graph
from study.report import model_card
from study.report.data import collect, metrics_columns
from study.results.metrics import read as read_metrics
from study.spec.plan import Plan
from study.support import receipts
from study.support.errors import StudyError
from study.support.files import atomic_path, write_text

# Test examples on which a graph is compared with the module that it was made from.
COMPARED = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--plan", "--metrics", "--summary", "--runs", "--evaluation", "--data")
    options.add(parser, "--output", help="results/model")
    options.add(parser, "--receipt")


def run(arguments: argparse.Namespace) -> None:
    plan = Plan.read(arguments.plan)
    if plan.final is None:
        raise StudyError("the plan has no final model: add `final:` to the configuration")
    run = arguments.runs / plan.final.run
    read = [arguments.metrics, arguments.summary, run / "weights.safetensors"]
    read += [arguments.evaluation, arguments.data / CHECKSUMS]
    with receipts.receipt(arguments.receipt, arguments.plan, read) as made:
        _export(plan, run, arguments)
        made += [arguments.output / name for name in (export.FILE, "model.onnx", "README.md")]


def _export(plan: Plan, run: Path, arguments: argparse.Namespace) -> None:
    metrics = read_metrics(arguments.metrics, metrics_columns)
    summary = pd.read_parquet(arguments.summary)
    study = collect(plan, metrics, summary, arguments.runs, arguments.data, arguments.evaluation)
    exported = export.of_plan(plan, run, arguments.data)
    export.write(arguments.output / export.FILE, exported)
    with atomic_path(arguments.output / "model.onnx") as temporary:
        graph = _graph(plan, exported, arguments.data)
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
    write_text(arguments.output / "README.md", model_card.render(study, exported.description))


def _graph(plan: Plan, exported: export.ExportedModel, folder: Path) -> ModelProto:
    if plan.model.is_perceptron or not exported.networks:
        return onnx_graph.build(exported)
    # With torch, which perceptrons do without.
    from study.final import modules

    data = datasets.describe(plan.dataset).load(folder)
    name = onnx_graph.input_name(exported)
    examples = data.test.x[:COMPARED].reshape(-1, *exported.description.inputs)
    architecture, spread = export.architecture(plan, data), exported.description.spread
    graph = modules.graph(architecture, list(exported.networks.values()), name, examples, spread)
    return onnx_graph.described(graph, exported)
