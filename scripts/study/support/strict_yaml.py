"""Reading what people write: YAML, strictly, and words that may be misspelt."""

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from study.support.errors import StudyError


def read_yaml(path: Path) -> Any:
    """The content of a YAML 1.2 file, in which `1e-3` is a number and no key is given twice.

    Raises StudyError naming file and line.
    """
    try:
        return YAML(typ="safe", pure=True).load(Path(path))
    except DuplicateKeyError as error:
        key = re.search(r'duplicate key "(.*?)"', str(error))
        line = error.problem_mark.line + 1
        raise StudyError(f"{path}, line {line}: key {key[1]!r} is given twice") from None
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
    """`; did you mean …?` where a known word is close in any case, else all that are known."""
    known = list(known)
    spelled = {each.lower(): each for each in known}
    close = difflib.get_close_matches(str(word).lower(), spelled, 1)
    return f"; did you mean {spelled[close[0]]!r}?" if close else f"; known are {', '.join(known)}"
