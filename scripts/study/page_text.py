"""The report's Markdown as HTML: headings with anchors, tables to be sorted, figures put in."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from babel.numbers import NumberFormatError, parse_decimal
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from study import markdown

# A number in a cell, in any language: digits with signs between them.
_NUMBER = re.compile(r"[−-]?\d(?:[\d.,]*\d)?")


@dataclass
class Parts:
    """What the page puts in place of parts of the report.

    `figure` gives the HTML of the figure of a name, with its alternative text; `claims` that of so
    many further claims, in place of tables whose first column has the heading `claim`. `code` is
    the language's.
    """

    code: str
    table_label: str
    figure: Callable[[str, str], str]
    claim: str
    claims: Callable[[int], str]


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
    tokens = list(_with_claims(_MARKDOWN.parse(report), parts))
    anchors = (anchor for *_, anchor in markdown.headings(report))
    return _MARKDOWN.renderer.render(
        tokens, _MARKDOWN.options, {"parts": parts, "anchors": anchors}
    )


def inline(text: str) -> str:
    """A line of Markdown as HTML."""
    return _MARKDOWN.renderInline(text)


def _with_claims(tokens: Sequence[Token], parts: Parts) -> Iterator[Token]:
    """The tokens with the tables of claims replaced."""
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "table_open":
            end = next(i for i in range(place, len(tokens)) if tokens[i].type == "table_close")
            first = next(each for each in tokens[place:end] if each.type == "inline")
            if first.content == parts.claim:
                rows = sum(each.type == "tr_open" for each in tokens[place:end]) - 1
                yield Token("html_block", "", 0, content=parts.claims(rows))
                place = end + 1
                continue
        yield token
        place += 1


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


_MARKDOWN = MarkdownIt("commonmark", renderer_cls=_Renderer).enable("table")
