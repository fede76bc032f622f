"""Export the measures of every run to TensorBoard's event files, in place of the last export."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from study.results import event_files
from study.support.errors import StudyError, report_errors


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--metrics", type=Path, default="results/metrics.parquet")
    parser.add_argument("--output", type=Path, default="results/tensorboard", help="a folder")
    args = parser.parse_args()

    if not args.metrics.is_file():
        raise StudyError(f"{args.metrics}: is missing; run `make report` first")
    count = event_files.export(pd.read_parquet(args.metrics), args.output)
    viewer = Path(sys.executable).with_name("tensorboard")
    print(f"{count} replicates are in {args.output}. Then:")
    print(f"  {viewer} --logdir {args.output.resolve()}")


if __name__ == "__main__":
    main()
