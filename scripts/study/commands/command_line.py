"""The command `study`: every command by one name, with help for each."""

import argparse
import ast
import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from study.commands.door import enter, summary
from study.support.errors import printable

# What people call, and what rules call: the word after `study` -> the module.
BY_HAND = {
    "new": "new_study",
    "plan": "show_plan",
    "status": "show_status",
    "watch": "watch",
    "data": "fetch_data",
    "describe-data": "describe_data",
    "train": "train",
    "verify": "verify",
    "claims": "show_claims",
    "compare": "compare_studies",
    "predict": "predict",
    "export": "export_results",
    "tensorboard": "export_tensorboard",
    "fidelity": "fidelity",
    "prune": "prune",
    "accept-code": "accept_code",
    "unlock": "unlock",
    "reference": "write_reference",
}
BY_RULES = {
    "write-plan": "write_plan",
    "choose-final": "choose_final",
    "take-step": "take_step",
    "list-trials": "list_trials",
    "collect": "collect_metrics",
    "summarise": "summarise",
    "compare-values": "compare_values",
    "judge-claims": "judge_claims",
    "evaluate-final": "evaluate_final",
    "export-model": "export_model",
    "draw-experiment": "draw_experiment",
    "draw-search": "draw_search",
    "draw-final": "draw_final",
    "draw-mosaic": "draw_mosaic",
    "draw-glance": "draw_glance",
    "write-report": "write_report",
    "write-page": "write_page",
}
COMMANDS = BY_HAND | BY_RULES


def main(words: Sequence[str] | None = None) -> None:
    words = sys.argv[1:] if words is None else words
    if not words or words[0] in ("-h", "--help"):
        _help().print_help()
        return
    name, *others = words
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        mean = f"did you mean {near[0]!r}?" if near else "see study --help"
        sys.exit(f"error: no command '{printable(name)}'; {mean}")
    # No other is imported: torch and matplotlib take seconds.
    enter(import_module(f"study.commands.{COMMANDS[name]}"), others, f"study {name}")


def _help() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        usage="study COMMAND ...",
        description="Hyperparameter studies that train nothing twice.",
        epilog="study COMMAND --help: what a command is told, and by which words.",
        add_help=False,
    )
    for title, commands in (("called by hand", BY_HAND), ("called by rules", BY_RULES)):
        group = parser.add_argument_group(title)
        for name, module in commands.items():
            group.add_argument(name, help=_summary(module).replace("%", "%%"))
    return parser


def _summary(module: str) -> str:
    """What a command does, by its docstring, without importing it and all that it needs."""
    source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    return summary(ast.get_docstring(ast.parse(source)))


if __name__ == "__main__":
    main()
