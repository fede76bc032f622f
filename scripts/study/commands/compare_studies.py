"""Tell how two studies differ: in settings, and in results beyond the noise between seeds."""

import argparse
import contextlib
from pathlib import Path

from study.commands import options
from study.data import datasets
from study.report import study_comparison_text
from study.results import study_comparison
from study.spec.plan import Plan
from study.support.errors import StudyError
from study.support.files import write_text
from study.support.language import Language


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, help="the results of one study")
    parser.add_argument("b", type=Path, help="the results of another")
    written = "a folder for comparison.<language>.*"
    options.add(parser, "--output", required=False, default="comparison", help=written)


def _noun(plan: Plan) -> str:
    """What the study's examples are called: images, where its data cannot be found from here."""
    with contextlib.suppress(StudyError):
        return datasets.describe(plan.dataset).noun
    return "images"


def run(args: argparse.Namespace) -> None:
    a, b = study_comparison.read_results(args.a), study_comparison.read_results(args.b)
    texts = {}
    for code in a.plan.languages:
        settings = a.plan.model.texts | b.plan.model.texts
        language = Language(code, _noun(a.plan), settings, a.task.name)
        texts[code] = study_comparison_text.render(a, b, language)
        page = study_comparison_text.page(texts[code], language)
        write_text(args.output / f"comparison.{code}.md", texts[code])
        write_text(args.output / f"comparison.{code}.html", page)
    print(texts.get("en", next(iter(texts.values()))))
    for code in texts:
        print(f"page: {(args.output / f'comparison.{code}.html').resolve()}")
