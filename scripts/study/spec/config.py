"""Reading a study's configuration: strictly, with one clear message for what is wrong."""

import contextlib
import copy
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema.exceptions import ValidationError

from study.spec import claims, model_file, models, schemas
from study.spec.models import MLP, Model
from study.spec.schemas import config_schema, schema
from study.support.errors import StudyError
from study.support.strict_yaml import MOST_DEPTH, MOST_DIGITS, read_yaml, suggestion

# Errors shown at once; the rest are counted.
SHOWN = 6

# Values of all experiments together. Twice as many runs as the workflow has been measured with.
MOST_VALUES = 20_000

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def load(paths: list[Path], overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The validated configuration of the files `paths` (later ones win key by key).

    `overrides` are the values of Snakemake's --config. All defaults of the top level are filled
    in; settings are completed by the plan. Raises StudyError for anything the schema refuses.
    """
    config: dict[str, Any] = {}
    name = " and ".join(str(path) for path in paths)
    for path in paths:
        content = read_yaml(path)
        if not isinstance(content, dict):
            raise StudyError(f"{path}: must hold keys such as `experiments:` at its top level")
        _merge(config, _as_meant(content, path))
    if overrides:
        _merge(config, _as_meant(overrides, "--config"))
        name += " with --config"
    if isinstance(config.get("model"), str):
        config["model"] = _found_beside(config["model"], [path.parent for path in paths])
    return validated(config, name)


def _found_beside(model: str, folders: list[Path]) -> str:
    """The path of a model's file that lies beside a config, and not in the current folder."""
    for folder in [Path(), *reversed(folders)]:
        # What cannot be a path, or is no file of Python, is told later.
        with contextlib.suppress(OSError, ValueError, StudyError):
            path, _ = model_file.parse(str(folder / model), [])
            if path.is_file():
                return str(folder / model)
    return model


def of_host(config: Mapping[str, Any], module: str) -> dict[str, Any]:
    """The validated configuration that another workflow gives the study as its `module`."""
    return validated(_as_meant(config, module), module)


def _merge(base: dict[str, Any], extra: Mapping[str, Any]) -> None:
    for key, value in extra.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value


def _as_meant(content: Mapping[str, Any], name: str | Path) -> dict[str, Any]:
    """A copy in which text such as `1e-3` or `true` is the value that it means.

    Snakemake's loaders leave such text. Names and paths of data stay as they are.
    """
    try:
        return {
            key: copy.deepcopy(value) if key == "data" else _meant(value)
            for key, value in content.items()
        }
    except RecursionError:
        raise StudyError(f"{name}: a part of it contains itself") from None


def _meant(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _meant(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_meant(item) for item in value]
    if isinstance(value, str) and len(value) <= MOST_DIGITS and _NUMBER.fullmatch(value):
        return float(value) if re.search(r"[.eE]", value) else int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def checked_settings(settings: Mapping[str, Any], name: str, model: Model = MLP) -> dict[str, Any]:
    """The settings of a run alone, where the schema accepts them; else a StudyError."""
    wanted = _schema_of(model)
    _refuse(settings, {"$defs": wanted["$defs"], "$ref": "#/$defs/settings"}, name)
    return dict(settings)


def _schema_of(model: Model) -> dict[str, Any]:
    return schema() if model.is_perceptron else config_schema(model.hyperparameters.definitions)


def validated(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`config` with the top level's defaults, or a StudyError that lists what is wrong in it."""
    wanted = _schema_of(_model_of(config, name))
    _refuse(config, wanted, name)
    completed = _completed(config, wanted)
    if not completed["experiments"] and "search" not in completed:
        raise StudyError(f"{name}: experiments: must not be empty where there is no `search`")
    _tell(list(_too_many_values(completed)), name)
    _tell(list(claims.faults(completed)), name)
    return completed


def _model_of(config: Mapping[str, Any], name: str) -> Model:
    """The model whose settings the config may have."""
    word = config.get("model", MLP.word)
    _refuse(word, schema()["properties"]["model"], f"{name}: model")
    return models.describe(word)


def _refuse(value: Any, wanted: Mapping[str, Any], name: str) -> None:
    try:
        # First of all: what is no value or no text cannot be put into a message either.
        _tell(list(_unfit(value)), name)
    except RecursionError:
        text = f"nested deeper than {MOST_DEPTH} levels, or a part of it contains itself"
        raise StudyError(f"{name}: {text}") from None
    errors = sorted(schemas.errors(value, wanted), key=_place)
    _tell([f"{_place(error)}: {_reason(error)}" for error in errors], name)


def _too_many_values(config: Mapping[str, Any]) -> Iterator[str]:
    counts = {
        name: math.prod(map(len, experiment["vary"].values()))
        for name, experiment in config["experiments"].items()
    }
    total = sum(counts.values())
    if total > MOST_VALUES:
        largest = max(counts, key=counts.__getitem__)
        yield (
            f"experiments: ask for {total:,} values, of which {largest} has {counts[largest]:,}; "
            f"a study has at most {MOST_VALUES:,}"
        )


def _tell(messages: list[str], name: str) -> None:
    if messages:
        shown = [f"{name}: {message}" for message in messages[:SHOWN]]
        if len(messages) > SHOWN:
            shown.append(f"… and {len(messages) - SHOWN} more")
        raise StudyError("\n".join(shown))


def _completed(config: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    completed = dict(config)
    for key, description in part.get("properties", {}).items():
        if key not in completed and "default" in description:
            completed[key] = description["default"]
        if isinstance(completed.get(key), Mapping):
            completed[key] = _completed(completed[key], description)
    return completed


def _path_text(path: Iterable[Any]) -> str:
    text = ""
    for part in itertools.islice(path, MOST_DEPTH):
        part = part if isinstance(part, int) else _cut(str(part))
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "top level"


def _place(error: ValidationError) -> str:
    return _path_text(error.absolute_path)


def _unfit(value: Any, path: tuple[Any, ...] = ()) -> Iterator[str]:
    """Numbers and texts that no study can hold, wherever they stand."""
    if len(path) > MOST_DEPTH:
        raise RecursionError
    match value:
        case bool() | None:
            pass
        case int() if abs(value) >= 10**MOST_DIGITS:
            yield f"{_path_text(path)}: is a number of more than {MOST_DIGITS} digits"
        case float() if not math.isfinite(value):
            yield f"{_path_text(path)}: must be a finite number"
        case str() if not value.isascii() and _is_broken(value):
            text = ascii(value) if len(value) <= 40 else f"{ascii(value[:40])}…"
            yield f"{_path_text(path)}: {text} is not valid Unicode"
        case Mapping():
            for key, item in value.items():
                if isinstance(key, str) and _is_broken(key):
                    yield f"{_path_text(path)}: the key {ascii(key)} is not valid Unicode"
                yield from _unfit(item, (*path, key))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from _unfit(item, (*path, index))


def _is_broken(text: str) -> bool:
    """Whether a text has half a character, which no file can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "keys with values",
}

_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


# Of unknown keys, so many are told of one place.
MOST_UNKNOWN = 5

_FORMS = {
    "path": "cannot be a path: it must not begin with -, nor hold { } or control characters",
    "image": "cannot name an image: use letters, digits and _ . / : @ + ~ = -",
}


def _reason(error: ValidationError) -> str:
    value, limit = error.instance, error.validator_value
    match error.validator:
        case "additionalProperties":
            known = list(error.schema["properties"])
            # Those that are known are told once, however many are not.
            hints: dict[str, list[str]] = {}
            for key in [key for key in value if key not in known][:MOST_UNKNOWN]:
                hints.setdefault(suggestion(key, known), []).append(_short(key))
            return "; ".join(f"unknown key {', '.join(keys)}{hint}" for hint, keys in hints.items())
        case "pattern" if error.schema.get("format") in _FORMS:
            return f"{_short(value)} {_FORMS[error.schema['format']]}"
        case "pattern" | "type" if "pattern" in error.schema and "format" not in error.schema:
            return (
                f"{_short(value)} cannot name an experiment: use letters, digits, _ and -, begin "
                "with a letter, and avoid final, final_…, glance, glance_…, mosaic and report"
            )
        case "type":
            wanted = [limit] if isinstance(limit, str) else limit
            return f"must be {' or '.join(_TYPES[kind] for kind in wanted)}, is {_short(value)}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum" as bound:
            return f"must be {_BOUNDS[bound]} {limit}, is {_short(value)}"
        case "enum":
            return f"unknown value {_short(value)}{suggestion(value, limit)}"
        case "minItems" | "minProperties" | "minLength":
            return "must not be empty"
        case "maxProperties":
            return f"must have one key alone, has {', '.join(_cut(str(key)) for key in value)}"
        case "maxItems":
            return f"must have at most {limit} entries, has {len(value)}"
        case "uniqueItems":
            return f"has the same value twice: {_short(schemas.twice(value))}"
        case "required":
            missing = next(key for key in limit if key not in value)
            return f"key {missing!r} is missing"
        case _:
            return str(error.message).splitlines()[0][:120]


def _short(value: Any) -> str:
    return _cut(repr(value))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"
