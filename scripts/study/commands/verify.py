"""Check that the results are whole, follow from each other, and can be made again bit for bit."""

import argparse
import random
import sys

from study.commands import options
from study.operations.checks import OK, OUTDATED, SKIPPED, WRONG
from study.operations.verification import Verification
from study.spec import choice, config, searches
from study.spec.resolution import resolve
from study.support.errors import StudyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--results", "--configfile")
    parser.add_argument(
        "--retrain",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="train a replicate of a random short run again, and compare it",
    )
    parser.add_argument("--seed", type=int, help="which run that is; without it, any")


def run(args: argparse.Namespace) -> None:
    resolved = resolve(
        config.load([args.configfile]),
        choice.read_choice(args.results / choice.NAME),
        searches.history_in(args.results),
    )
    if not any((args.results / name).exists() for name in ("runs", "plan.json")):
        raise StudyError(f"{args.results}: nothing to verify, the study is not begun")
    verification = Verification(resolved, args.results)
    counts = {OK: 0, WRONG: 0, OUTDATED: 0, SKIPPED: 0}

    def tell(findings) -> None:
        for finding in findings:
            counts[finding.verdict] += 1
            print(f"{finding.verdict:<9}{finding.text}", flush=True)

    tell(verification.findings())
    if args.retrain:
        seed = random.randrange(1000) if args.seed is None else args.seed
        print(f"training a run again, chosen by --seed {seed}", file=sys.stderr, flush=True)
        tell(verification.retrained(random.Random(seed)))
    told = ", ".join(
        f"{counts[verdict]} {verdict.lower()}" for verdict in (WRONG, OUTDATED, SKIPPED)
    )
    print(f"{sum(counts.values())} findings: {told}")
    if counts[WRONG]:
        sys.exit(1)
