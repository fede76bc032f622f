"""Print how closely the results reproduce the published ones; exit 1 where they fall short."""

import argparse
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa

from study.commands import options
from study.results import fidelity
from study.results.fidelity import Comparison, Fidelity
from study.support.errors import StudyError

HEADINGS = (
    f"{'experiment':<14} {'value':>8}  {'accuracy':<10}  {'ours, mean ± sd':>15}  {'published':>9}"
    f"  {'difference':>10}  {'95 % prediction':>15}  inside"
)


def line(comparison: Comparison) -> str:
    """One accuracy as a line of the table, in per cent; the difference in points."""
    measure = comparison.measure.removesuffix("_accuracy")
    ours = f"{100 * comparison.mean:.2f} ± {100 * comparison.sd:.2f}"
    interval = f"{100 * comparison.low:.2f} – {100 * comparison.high:.2f}"
    return (
        f"{comparison.experiment:<14} {comparison.value:>8}  {measure:<10}  {ours:>15}"
        f"  {100 * comparison.published:>9.2f}  {100 * comparison.difference:>+10.2f}"
        f"  {interval:>15}  {'yes' if comparison.inside else 'NO'}"
    )


def verdict(reached: bool, text: str) -> str:
    """One of the three figures, said to be reached or missed."""
    return f"{'reached' if reached else 'MISSED':<8} {text}"


def verdicts(result: Fidelity) -> list[str]:
    """The three figures, each with its threshold."""
    least, most = fidelity.FINAL_RANGE
    return [
        verdict(
            result.enough_inside,
            f"published accuracies inside their interval: {result.inside} of"
            f" {len(result.comparisons)} (at least {fidelity.ENOUGH_INSIDE})",
        ),
        verdict(
            result.close_enough,
            "mean absolute difference of validation accuracy, without learning rate 0.0001:"
            f" {100 * result.mean_difference:.2f} points"
            f" (under {100 * fidelity.LARGEST_DIFFERENCE:.1f})",
        ),
        verdict(
            result.final_in_range,
            f"final model's validation accuracy: {100 * result.final_accuracy:.2f} %"
            f" ({100 * least:.1f} to {100 * most:.1f} %)",
        ),
    ]


def read_summary(path: Path) -> pd.DataFrame:
    """The summary, or a StudyError where there is none that can be read."""
    if not path.exists():
        raise StudyError(f"{path}: is missing; run `make report` first")
    try:
        with path.open("rb") as file:
            return pd.read_parquet(file)
    except pa.ArrowInvalid as error:
        raise StudyError(f"{path}: not a readable Parquet file; make it again") from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--summary")


def run(arguments: argparse.Namespace) -> None:
    result = fidelity.assess(read_summary(arguments.summary))
    print(HEADINGS)
    for comparison in result.comparisons:
        print(line(comparison))
    print(
        "\nAccuracies in per cent, differences in points. Where a single new run would lie, from n"
        "\nreplicates: mean ± t(0.975, n - 1) * sd * sqrt(1 + 1/n) (Hahn & Meeker, Statistical"
        "\nIntervals, 1991, chapter 4).\n"
    )
    print("\n".join(verdicts(result)))
    if not result.reached:
        sys.exit(1)
