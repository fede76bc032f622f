"""Small parts of Markdown as GitHub reads it: tables, anchors, a table of contents."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from study.support.errors import printable


def escaped(text: str) -> str:
    """`text` on one line, with all that Markdown would take for markup made literal."""
    line = printable(re.sub(r"\s+", " ", text))
    return re.sub(r"([\\`*_\[\]<>|~&])", r"\\\1", line)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], alignment: str) -> str:
    """A table whose source lines up; `alignment` has an `l` or `r` for each column."""
    lines = [[_cell(text) for text in row] for row in [headings, *rows]]
    widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if side == "l" else cell.rjust(width)
            for cell, width, side in zip(cells, widths, alignment, strict=True)
        )
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * width if side == "l" else "-" * (width - 1) + ":"
        for width, side in zip(widths, alignment, strict=True)
    ]
    return "\n".join(map(line, [lines[0], rule, *lines[1:]]))


def folded(table: str, shown: int, summary: str) -> str:
    """A table of which only so many rows are seen, with the others below, where one unfolds them.

    `unfolded` makes it one table again.
    """
    heading, rule, *rows = table.splitlines()
    parts = ["\n".join([heading, rule, *some]) for some in (rows[:shown], rows[shown:])]
    return f"{parts[0]}\n\n<details><summary>{summary}</summary>\n\n{parts[1]}\n\n</details>"


def unfolded(document: str) -> str:
    """The document with each `folded` table in one."""
    heading_and_rule = r"(?:\|.*\n){2}"
    without = re.sub(rf"\n\n<details><summary>.*</summary>\n\n{heading_and_rule}", "\n", document)
    return without.replace("\n\n</details>", "")


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text)


def contents(document: str) -> str:
    """A list of links to the document's headings of the second and third level."""
    return "\n".join(
        f"{'  ' * (level - 2)}- [{title}](#{anchor})"
        for level, title, anchor in headings(document)
        if level in (2, 3)
    )


def anchor_of(title: str) -> str:
    """The anchor that GitHub makes for a heading, where it is the first with this title."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def headings(document: str) -> Iterator[tuple[int, str, str]]:
    """Level, title and anchor of each heading; anchors are those that GitHub makes."""
    taken: Counter[str] = Counter()
    for marks, title in re.findall(r"^(#{1,6}) (.+)$", document, re.MULTILINE):
        anchor = anchor_of(title)
        repeated = taken[anchor]
        taken[anchor] += 1
        yield len(marks), title, f"{anchor}-{repeated}" if repeated else anchor
