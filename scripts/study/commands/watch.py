"""Show the study on a page that renews itself while it runs; in the end it is the report's.

It reads files alone, answers browsers of this machine alone, and ends with Ctrl-C.
"""

import argparse
import functools
import os
import re
import signal
import sys
import time
import webbrowser
from collections.abc import Mapping
from urllib.parse import urlsplit

from babel import negotiate_locale

from study.commands import options
from study.commands.unlock import is_at_work
from study.operations.live_state import LiveStudy
from study.support import local_server
from study.support.files import read_own
from study.support.language import available
from study.support.local_server import Answer

FIRST_PORT = 8750

# What is served of results/, beside the state and logs that it names.
HTML, MARKDOWN = "text/html; charset=utf-8", "text/markdown; charset=utf-8"
KINDS = {"html": HTML, "md": MARKDOWN, "svg": "image/svg+xml", "png": "image/png"}
REPORT = re.compile(r"report\.[a-z]{2}\.(html|md)", re.ASCII)
FIGURE = re.compile(r"figures/[A-Za-z0-9_-]+\.[a-z]{2}\.(svg|png)", re.ASCII)

# Pages have less than 8 MB; what is longer is not of our making.
MOST_BYTES = 32_000_000

# A figure that is opened by itself runs no script; the pages say for themselves what they may.
FIGURES_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


class Pages:
    """What there is to see of the study in `results`."""

    def __init__(self, study: LiveStudy):
        self.study = study

    def answer(self, path: str, languages: str) -> Answer | None:
        """What there is at `path`; None where there is nothing."""
        if path == "":
            return Answer(place=f"live.{_preferred(languages)}.html")
        if path == "state.json":
            return Answer(self.study.state(), "application/json")
        if path in {f"live.{code}.html" for code in available()}:
            return _live(path.split(".")[1])
        if path.startswith("logs/"):
            return _found(self.study.log(path.removeprefix("logs/")))
        for pattern, headers in ((REPORT, {}), (FIGURE, FIGURES_POLICY)):
            if match := pattern.fullmatch(path):
                content = read_own(self.study.results / path, MOST_BYTES)
                return _found(content, KINDS[match[1]], headers)
        return None


@functools.cache
def _live(code: str) -> Answer:
    # Takes seconds to import, and the terminal has the address at once.
    from study.page import live

    return Answer(live.render(code).encode(), HTML)


def _found(
    content: bytes | None, kind: str = Answer.kind, headers: Mapping[str, str] | None = None
) -> Answer | None:
    return None if content is None else Answer(content, kind, headers=headers or {})


def _preferred(languages: str) -> str:
    """The page's language that a browser likes best, by its header Accept-Language."""
    wanted = [word.partition(";")[0].strip() for word in languages.split(",")]
    return negotiate_locale(wanted, available(), sep="-") or "en"


def _has_display() -> bool:
    return sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _until_told() -> None:
    """Wait for the KeyboardInterrupt of a signal; one that comes between two waits is not lost."""
    while True:
        time.sleep(1)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--results")
    parser.add_argument(
        "--host",
        default=local_server.LOOPBACK,
        help="listen on this address of the machine, as 0.0.0.0 for all; the page's address then "
        "holds a token, and only who knows it is answered",
    )
    parser.add_argument(
        "--port", type=int, help=f"instead of {FIRST_PORT} or the first free one after it"
    )
    parser.add_argument(
        "--token",
        action="store_true",
        help="a token on this machine too, where others have accounts",
    )
    parser.add_argument("--no-open", action="store_true", help="open no browser")


def run(args: argparse.Namespace) -> None:
    # In the background of a script, Ctrl-C's signal would be ignored.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    folder = args.results.resolve().parent
    pages = Pages(LiveStudy(args.results, lambda: is_at_work(folder)))
    try:
        with local_server.serving(
            pages.answer, args.host, args.port, FIRST_PORT, args.token
        ) as address:
            print(f"the study is shown at {address} until Ctrl-C", flush=True)
            # Everyone on a machine sees what its programs are called with: no token of ours.
            if not args.no_open and urlsplit(address).path == "/" and _has_display():
                webbrowser.open(address)
            _until_told()
    except KeyboardInterrupt:
        print()
