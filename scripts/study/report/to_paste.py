"""Settings as a config has them, to be pasted into one."""

from collections.abc import Mapping, Sequence
from typing import Any

from study.spec import settings


def to_paste(key: str, values: Sequence[Any]) -> str:
    """Values of a setting as a config lists them: `learning_rate: [0.1, 1.0]`."""
    texts = [str(value) if isinstance(value, list) else settings.text(value) for value in values]
    return f"`{key}: [{', '.join(texts)}]`"


def final_to_paste(chosen: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    """A final model of the settings `chosen` as a config has it: `final: {optimizer: adam}`."""
    told = [
        f"{key}: {value if isinstance(value, list) else settings.text(value)}"
        for key, value in chosen.items()
        if value != baseline[key]
    ]
    return f"`final: {{{', '.join(told)}}}`"
