"""List what lies in results/ and no experiment asks for any more; remove it when told to."""

import argparse
import sys

from study.commands import options
from study.operations import pruning
from study.spec import choice, config, searches
from study.spec.resolution import resolve


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def agreed() -> bool:
    """Ask at a terminal; elsewhere, nobody has agreed."""
    if not sys.stdin.isatty():
        print("nothing is removed without a yes: answer at a terminal, or call make prune YES=1")
        return False
    try:
        return input("Remove this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--results", "--configfile")
    options.add(parser, "--yes", help="remove without asking")


def run(args: argparse.Namespace) -> None:
    resolved = resolve(
        config.load([args.configfile]),
        choice.read_choice(args.results / choice.NAME),
        searches.history_in(args.results),
    )
    found = pruning.leftovers(resolved, args.results)
    if not found:
        print(f"nothing to remove: {args.configfile} asks for all that is in {args.results}")
        return
    for leftover in found:
        left = f"; left, since it {leftover.kept}" if leftover.kept else ""
        print(f"{megabytes(leftover.size):>10}  {leftover.path}: {leftover.text}{left}")
    removable = [leftover for leftover in found if not leftover.kept]
    size = sum(leftover.size for leftover in removable)
    print(f"{megabytes(size):>10}  in all, for which {args.configfile} has no use")
    if not (removable and (args.yes or agreed())):
        return
    freed = 0
    for leftover in removable:
        kept = pruning.remove(leftover)
        if kept:
            print(f"left {leftover.path}: {kept}")
        else:
            freed += leftover.size
    print(f"freed {megabytes(freed)}")
