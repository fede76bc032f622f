"""What all fuzzers share: how many inputs, how long one may take, and values that nobody expects.

No input here harms anything where a guard is missing: what would take minutes is cut off.
"""

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from study.support.errors import StudyError

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"

INPUTS = settings(
    max_examples=2000 if FULL else 30,
    deadline=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)

# Of a single input, on a machine that is busy with other things.
SECONDS = 20


class HangError(Exception):
    """An input that takes longer than any may."""


@contextlib.contextmanager
def in_time(seconds: int = SECONDS) -> Iterator[None]:
    """Raise HangError where the block takes longer."""

    def ring(*_: object) -> None:
        raise HangError(f"takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def told(error: StudyError, place: str = "") -> str:
    """The message of an error, which is short, printable and names the place."""
    message = str(error)
    lines = message.splitlines()
    assert 1 <= len(lines) <= 10
    assert all(len(line) < 600 + len(place) for line in lines)
    assert message.replace("\n", "").isprintable()
    assert place in message
    return message


TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", " ", "-x", "--help", "a{b}", "../..", "~", "1e-3", "NaN", "\x1b[2J"]),
    st.sampled_from(["a" * 300, "\u202etxt", "é", "🙂", "<b>", "|", "$(id)", "%s", "null", "0x1"]),
)

NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.sampled_from([2**31, 2**32, 2**63, -(2**63), 10**30, 1e-320, 1e308, -0.0, 0.1, 1.5]),
)

SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)

VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """The path of every part of nested mappings and lists."""
    yield path
    items = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else items
    for key, item in items:
        yield from places(item, (*path, key))


def at(value: Any, path: tuple) -> Any:
    """The part that stands there."""
    for key in path:
        value = value[key]
    return value


@st.composite
def altered(draw: st.DrawFn, whole: Any, most: int = 3) -> Any:
    """`whole` with up to so many parts replaced, removed, repeated or exchanged."""
    content = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, most))):
        paths = [path for path in places(content) if path]
        if not paths:
            return content
        *above, key = draw(st.sampled_from(paths))
        parent = at(content, tuple(above))
        match draw(st.sampled_from(["replace", "remove", "exchange", "rename", "repeat"])):
            case "replace":
                parent[key] = draw(VALUES)
            case "remove":
                del parent[key]
            case "exchange":
                other = at(content, draw(st.sampled_from(paths)))
                parent[key] = json.loads(json.dumps(other))
            case "rename" if isinstance(parent, dict):
                parent[draw(TEXTS)] = parent.pop(key)
            case _ if isinstance(parent, list):
                parent.append(json.loads(json.dumps(parent[key])))
    return content


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes cut off, put in or changed."""
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(content) - 1)))
        match draw(st.sampled_from(["flip", "cut", "put in", "shorten"])):
            case "flip" if content:
                content[place] ^= 1 << draw(st.integers(0, 7))
            case "cut":
                del content[place : place + draw(st.integers(1, 200))]
            case "put in":
                content[place:place] = draw(st.binary(min_size=1, max_size=20))
            case _:
                del content[place:]
    return bytes(content)
