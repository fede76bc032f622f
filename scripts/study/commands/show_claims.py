"""Print what became of the claims that were put to the test."""

import argparse
from collections import Counter

import pandas as pd
from tabulate import tabulate

from study.commands import options
from study.spec.claims import LANGUAGES
from study.spec.predicates import Verdict

COLUMNS = ["id", "verdict", "published_verdict"]

WIDTH = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--claims", required=False, default="results/claims.parquet")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the statements")


def run(args: argparse.Namespace) -> None:
    statement = f"statement_{args.language}"
    with args.claims.open("rb") as file:
        found = pd.read_parquet(file, columns=[*COLUMNS, statement])
    rows = found.astype(object).where(found.notna(), "-").to_numpy().tolist()
    print(
        tabulate(
            rows,
            headers=["claim", "verdict", "by its own numbers", "statement"],
            maxcolwidths=[None, None, 10, WIDTH],
            disable_numparse=True,
        )
    )
    counts = Counter(found["verdict"])
    print(f"\n{len(found)} claims: {', '.join(f'{counts[each]} {each}' for each in Verdict)}")
