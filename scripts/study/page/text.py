"""The report's Markdown as HTML: headings with anchors, tables to be sorted, figures put in."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from babel.numbers import NumberFormatError, parse_decimal
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from study.support import markdown

# A number in a cell, in any language: digits with signs between them.
_NUMBER = re.compile(r"[−-]?\d(?:[\d.,]*\d)?")


@dataclass
class Parts:
    """What the page puts in place of parts of the report.

    `figure` gives the HTML of the figure of a name, with its alternative text; `claims` that of so
    many further claims, in place of tables whose first column has the heading `claim`; `choice` is
    what chooses among all of these. `code` is the language's. The parts below headings of the
    second level are folded, but for the first, which cannot be, and those of the titles `unfolded`.
    """

    code: str
    table_label: str
    figure: Callable[[str, str], str]
    claim: str
    choice: str
    claims: Callable[[int], str]
    unfolded: Sequence[str]


@dataclass
class Heading:
    """A heading of the second level, with those of the third below it; the title is HTML."""

    title: str
    anchor: str
    below: list["Heading"] = field(default_factory=list)


def without_contents(report: str, title: str) -> str:
    """The report without its table of contents, which the page has beside the text."""
    return re.sub(rf"^## {re.escape(title)}\n.*?(?=^## )", "", report, flags=re.M | re.S)


def contents(report: str) -> list[Heading]:
    """The report's headings."""
    found: list[Heading] = []
    for level, title, anchor in markdown.headings(report):
        heading = Heading(_MARKDOWN.renderInline(title), anchor)
        if level == 2:
            found.append(heading)
        elif level == 3:
            found[-1].below.append(heading)
    return found


def to_html(report: str, parts: Parts) -> str:
    """The report as HTML."""
    tokens = _in_folds(_with_claims(_MARKDOWN.parse(markdown.unfolded(report)), parts), parts)
    anchors = (anchor for *_, anchor in markdown.headings(report))
    return _MARKDOWN.renderer.render(
        tokens, _MARKDOWN.options, {"parts": parts, "anchors": anchors}
    )


def inline(text: str) -> str:
    """A line of Markdown as HTML."""
    return _MARKDOWN.renderInline(text)


def _with_claims(tokens: list[Token], parts: Parts) -> list[Token]:
    """The tokens with the tables of claims replaced, and before the first what chooses."""
    found: list[Token] = []
    is_first = True
    place = 0
    while place < len(tokens):
        rows = _claims_in(tokens, place, parts.claim)
        if not rows:
            found.append(tokens[place])
            place += 1
            continue
        if is_first:
            # A table stands below a line that names its section, or below a heading.
            titled = found[-1].type in ("paragraph_close", "heading_close")
            found.insert(len(found) - 3 * titled, _html(parts.choice))
            is_first = False
        found.append(_html(parts.claims(rows)))
        place = _end(tokens, place) + 1
    return found


def _in_folds(tokens: Sequence[Token], parts: Parts) -> list[Token]:
    """The tokens with what stands below each heading of the second level in an element to fold."""
    found: list[Token] = []
    headings = 0
    for place, token in enumerate(tokens):
        if token.tag != "h2":
            found.append(token)
        elif token.type == "heading_open":
            headings += 1
            opened = " open" if tokens[place + 1].content in parts.unfolded else ""
            begin = f'<details class="part"{opened}><summary>' if headings > 1 else ""
            found += [_html(("</details>\n" if headings > 2 else "") + begin), token]
        else:
            found += [token, _html("</summary>\n" if headings > 1 else "")]
    return [*found, _html("</details>\n")] if headings > 1 else found


def _claims_in(tokens: Sequence[Token], place: int, heading: str) -> int:
    """How many claims the table has that begins at this place; none where no such table does."""
    if tokens[place].type != "table_open":
        return 0
    table = tokens[place : _end(tokens, place)]
    first = next(token for token in table if token.type == "inline")
    rows = sum(token.type == "tr_open" for token in table) - 1
    return rows if first.content == heading else 0


def _end(tokens: Sequence[Token], place: int) -> int:
    return next(i for i in range(place, len(tokens)) if tokens[i].type == "table_close")


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)


class _Renderer(RendererHTML):
    """HTML of a report; methods are called for the tokens of their names."""

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        tokens[idx].attrSet("id", next(env["anchors"]))
        return self.renderToken(tokens, idx, options, env)

    def paragraph_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "" if _is_figure(tokens[idx + 1]) else self.renderToken(tokens, idx, options, env)

    def paragraph_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "" if _is_figure(tokens[idx - 1]) else self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        name = PurePosixPath(str(token.attrs["src"])).name.split(".")[0]
        alternative = self.renderInlineAsText(token.children or [], options, env)
        return env["parts"].figure(name, alternative)

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        label = escapeHtml(env["parts"].table_label)
        wide = f'<div class="wide" role="region" aria-label="{label}" tabindex="0">'
        return f'{wide}<table class="sorted">'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        if token.attrGet("style") == "text-align:right":
            token.attrSet("data-order", _order(tokens[idx + 1].content, env["parts"].code))
        return self.renderToken(tokens, idx, options, env)


def _is_figure(token: Token) -> bool:
    return [child.type for child in token.children or []] == ["image"]


def _order(cell: str, code: str) -> str:
    """What a cell of numbers is sorted by: its first number, nothing where it has none."""
    found = _NUMBER.search(cell)
    if not found:
        return ""
    try:
        return str(parse_decimal(found[0].replace("−", "-"), locale=code))
    except NumberFormatError:
        return ""


# Texts of files stand in the report: what looks like HTML in it is text.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
