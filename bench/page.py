"""Writes docs/benchmark.md and its figure from the JSON that compare.py wrote."""

import argparse
import json
from pathlib import Path

import results
from reference_study import TRAININGS, shared
from results import DATA_LOADER, Content

DOCS = Path(__file__).parents[1] / "docs"
FIGURE = "images/benchmark.png"

WARNING = (
    "**A trial of one epoch a training: it shows that all runs, and its figures mean nothing.**"
)

TOO_FEW = "Too few were measured."

PAGE = """\
# Benchmark

{opening}

![Seconds of the whole study, each way, beside the arithmetic limit]({figure})

## Time, memory, energy

{times}

{notes}

## Ratios

Ratios are taken within a round.

{ratios}

## Targets

{targets}

## The arithmetic limit

What the study's matrix products take at the rate that the fastest of them reaches on all cores at
once, measured at the beginning of each round: {rate} GFLOP/s{library}.

{limits}

{distances}

## Where the workflow's time goes

Jobs run one on each core; a second of a job counts as one part in {cores} of a second. Evaluation's
part of an epoch is measured apart, with the library's own training.

{split}

## The peers to each other

{deviations}

## Machine

{machine}
"""


def rounds(count: int) -> str:
    return f"{count} round{'s' * (count > 1)}"


def text(content: Content) -> str:
    """The page, in Markdown."""
    measured = content["rounds"]
    opening = (
        f"The whole reference study, each way in its turn on the same {content['cores']} cores: "
        f"medians of {rounds(len(measured))}, {content['date']}, commit {content['commit']}. "
        f"{len(TRAININGS)} trainings, of which the workflow makes {len(shared(TRAININGS))}. What "
        "is counted and how is told in [bench/README.md](../bench/README.md)."
    )
    if content["trial"]:
        opening = f"{WARNING}\n\n{opening}"
    notes = ["*All at once* is the sum over all processes, memory that they share counted once."]
    if DATA_LOADER in results.ways(content) and content["data_loader_scaled"]:
        notes.append("The DataLoader script ran one epoch of each training, and is scaled.")
    orders = [f"{number}. {', '.join(one['order'])}" for number, one in enumerate(measured, 1)]
    if content.get("against"):
        notes.append(
            f"*at {content['against']}* is the workflow as it was at that commit of this "
            "repository, with its own programs and the same data and study."
        )
    notes += ["The order of each round:\n", *orders]
    # Older figures have none: they are MKL's.
    libraries = sorted({one["rate"]["library"] for one in measured if "library" in one["rate"]})
    rates = sorted(one["rate"]["gflop_per_second"] for one in measured)
    return PAGE.format(
        opening=opening,
        figure=FIGURE,
        times=results.times_table(content),
        notes="\n".join(notes),
        ratios=results.ratios_table(content) if results.ratios(content) else TOO_FEW,
        targets=results.targets_table(content),
        rate=" to ".join(dict.fromkeys(f"{rate:.0f}" for rate in (rates[0], rates[-1]))),
        library=f", by {' and '.join(libraries)}" if libraries else "",
        limits=results.limits_table(content),
        distances=results.distances_table(content),
        cores=content["cores"],
        split=results.split_table(content),
        deviations=results.deviations_table(content) if results.deviations(content) else TOO_FEW,
        machine="\n".join(f"- {name}: {words}" for name, words in content["machine"].items()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("json", type=Path, nargs="?", default=DOCS / "benchmark.json")
    parser.add_argument("--output", type=Path, default=DOCS, metavar="FOLDER")
    options = parser.parse_args()
    content = json.loads(options.json.read_text(encoding="utf-8"))
    path = options.output / "benchmark.md"
    path.write_text(text(content), encoding="utf-8")
    print(path)

    # matplotlib is needed only here; compare.py, which prints the text, stays small.
    import figure

    print(figure.draw(content, options.output / FIGURE))


if __name__ == "__main__":
    main()
