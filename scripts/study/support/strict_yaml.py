"""Reading what people write: YAML, strictly, and words that may be misspelt."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError, MaxDepthExceededError
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import Node, ScalarNode

from study.support.errors import StudyError
from study.support.files import read_bytes

# Far above what a study or a data set needs, and below what takes more than seconds to read. The
# nodes are counted with every alias written out: a few lines of aliases can stand for billions.
MOST_BYTES = 500_000
MOST_NODES = 20_000
MOST_DEPTH = 50
MOST_DIGITS = 100

# What a message names of what is known, and what it compares with that.
MOST_KNOWN = 20
LONGEST_WORD = 100


class _TooLargeError(MarkedYAMLError):
    """A file that is valid YAML and exceeds a bound."""


class _BoundedComposer(Composer):
    """Composes nodes up to the bounds, and none that contains itself."""

    def __init__(self, loader: Any = None):
        super().__init__(loader)
        self._written = 0
        self._expanded: dict[int, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Node:
        is_alias = self.parser.check_event(AliasEvent)
        mark = self.parser.peek_event().start_mark
        self._written += 1
        _refuse_more(self._written, mark)
        node: Node = super().compose_node(parent, index)
        if is_alias and id(node) not in self._expanded:
            raise ComposerError(None, None, "a part of it contains itself", mark)
        if not is_alias:
            self._expanded[id(node)] = 1 + sum(self._expanded[id(child)] for child in _below(node))
        _refuse_more(self._expanded[id(node)], mark)
        return node


def _below(node: Node) -> Iterable[Node]:
    if isinstance(node, ScalarNode):
        return
    for child in node.value:
        yield from child if isinstance(child, tuple) else [child]


def _refuse_more(nodes: int, mark: Any) -> None:
    if nodes > MOST_NODES:
        text = f"stands for more than {MOST_NODES:,} keys and values, aliases written out"
        raise _TooLargeError(None, None, f"{text}; shorten it", mark)


class _TellingConstructor(SafeConstructor):
    """Tells the line of a scalar that its tag does not fit."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        is_number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if is_number and len(node.value) > MOST_DIGITS:
            text = f"is a number of {len(node.value)} characters; {MOST_DIGITS} are the most"
            raise _TooLargeError(None, None, text, node.start_mark)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            text = f"{str(node.value)[:40]!r} does not fit the tag {node.tag} ({error})"
            raise ConstructorError(None, None, text, node.start_mark) from None


def read_yaml(path: Path) -> Any:
    """The content of a YAML 1.2 file, in which `1e-3` is a number and no key is given twice.

    Raises StudyError naming file and line, also where the file is larger than the bounds.
    """
    try:
        content = read_bytes(path, MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise StudyError(f"{path}: is larger than {MOST_BYTES:,} bytes; shorten it")
        yaml = YAML(typ="safe", pure=True)
        yaml.max_depth = MOST_DEPTH
        yaml.Composer, yaml.Constructor = _BoundedComposer, _TellingConstructor
        return yaml.load(content)
    except DuplicateKeyError as error:
        key = str(error).partition('duplicate key "')[2].partition('"')[0]
        line = error.problem_mark.line + 1
        raise StudyError(f"{path}, line {line}: key {key!r} is given twice") from None
    except MaxDepthExceededError as error:
        line = error.problem_mark.line + 1
        text = f"nested deeper than {MOST_DEPTH} levels"
        raise StudyError(f"{path}, line {line}: {text}") from None
    except _TooLargeError as error:
        line = error.problem_mark.line + 1
        raise StudyError(f"{path}, line {line}: {error.problem}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise StudyError(f"{path}, line {mark.line + 1}: not valid YAML: {error.problem}") from None
    except RecursionError:
        raise StudyError(f"{path}: not valid YAML: nested too deeply") from None
    except (YAMLError, ValueError) as error:
        raise StudyError(f"{path}: not valid YAML: {str(error).splitlines()[0]}") from None
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}") from None


def suggestion(word: Any, known: Iterable[str]) -> str:
    """`; did you mean …?` where a known word is close in any case, else those that are known."""
    known = list(known)
    spelled = {each.lower(): each for each in known}
    # Longer words are nobody's misspelling, and comparing them takes long.
    close = difflib.get_close_matches(str(word).lower()[:LONGEST_WORD], spelled, 1)
    if close:
        return f"; did you mean {spelled[close[0]]!r}?"
    more = f" and {len(known) - MOST_KNOWN} more" if len(known) > MOST_KNOWN else ""
    return f"; known are {', '.join(known[:MOST_KNOWN])}{more}"
