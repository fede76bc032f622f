"""Tell how far a study is: what is finished, trains, waits or failed, and the time left."""

import argparse
import shlex
from pathlib import Path

from study.data import datasets
from study.operations import status
from study.operations.progress import Progress
from study.runs import fingerprint
from study.spec import choice, config, plan
from study.support.errors import report_errors
from unlock import snakemakes

CONFIG = Path(__file__).parents[1] / "config.yaml"


@report_errors
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configfile", type=Path, default=CONFIG, help="the study's config")
    parser.add_argument("--results", type=Path, default="results", help="the study's results")
    parser.add_argument(
        "--again",
        nargs="+",
        default=["make", "report"],
        help="the command that runs the study, in words; comes last",
    )
    parser.add_argument(
        "--since",
        type=float,
        help="tell what a call of the workflow has done that began then (`date +%%s`)",
    )
    args = parser.parse_args()

    resolved = plan.resolve(config.load([args.configfile]), choice.read(args.results / choice.NAME))
    learning = fingerprint.learning(datasets.describe(resolved.dataset).digest, resolved.validation)
    look = Progress(resolved, args.results / "runs", learning).look()
    if args.since is not None:
        print(status.closing(look, resolved, args.results, args.since))
        return
    is_running = str(args.results.resolve().parent) in snakemakes().values()
    print(status.in_words(look, resolved, args.results, is_running, shlex.join(args.again)))


if __name__ == "__main__":
    main()
