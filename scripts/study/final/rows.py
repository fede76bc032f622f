"""Reading rows of numbers for a model: tables, and arrays of a NumPy file."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from study.data import array_content, table_reading
from study.data.scaling import AS_STORED
from study.final.export import Description
from study.support.errors import StudyError

# The array of an .npz file that holds several.
ARRAY = "x"


def read_rows(path: Path, wanted: Description) -> Iterator[tuple[str, np.ndarray]]:
    """Each example in a file, with a name for it, prepared as those were that the model learned.

    Raises StudyError that says what is wrong with a file, and what to do.
    """
    found = _table(path, wanted) if "columns" in wanted.fitted else _array(path, wanted)
    if found.shape[1:] != wanted.inputs:
        raise StudyError(
            f"{path}: has examples of {_shown(found.shape[1:])}, where the model takes "
            f"{_shown(wanted.inputs)}"
        )
    for index, row in enumerate(found):
        yield f"{path}[{index}]", row


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _table(path: Path, wanted: Description) -> np.ndarray:
    frame = table_reading.read_table(path)
    for known in wanted.fitted["columns"]:
        if known["name"] not in frame:
            raise StudyError(f"{path}: has no column {known['name']!r}, which the model reads")
    try:
        return table_reading.transform(frame, wanted.fitted)
    except (TypeError, ValueError) as error:
        raise StudyError(f"{path}: a column holds no numbers ({error!s:.100})") from None


def _array(path: Path, wanted: Description) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
        if not isinstance(found, np.ndarray):
            with found:
                found = found[ARRAY]
    except KeyError:
        raise StudyError(f"{path}: has no array {ARRAY!r}") from None
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise StudyError(f"{path}: is no NumPy file of plain numbers ({error!s:.80})") from None
    examples = array_content.numbers(found, str(path))
    scale, offset = wanted.fitted.get("scaling", AS_STORED)
    return array_content.transform(examples, (scale, offset)).astype(np.float32)
