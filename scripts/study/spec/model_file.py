"""A model's Python file, read without running it: which class or function, with which settings.

Planning a study so imports no torch, and runs nothing of what it is to plan.
"""

import ast
import functools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.spec.schemas import definitions
from study.support.errors import StudyError
from study.support.files import read_bytes
from study.support.strict_yaml import suggestion

# What a model is made with, before its settings: the shape of an example, and how many numbers it
# gives for one.
GIVEN = ("inputs", "outputs")

# A file of Python beyond this is none that a person wrote as a model.
MOST_BYTES = 1_000_000

# Names that stand for something else in the columns of metrics.parquet and in the config.
TAKEN = (
    *("run", "seed", "epoch", "seconds", "status", "model", "experiment", "value", "data"),
    *("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"),
    *("train_eval_accuracy", "train_r2", "validation_r2", "train_eval_r2"),
    *("train_rmse", "validation_rmse", "train_eval_rmse"),
)

_KINDS: Mapping[str, Mapping[str, Any]] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "str": {"type": "string", "minLength": 1, "maxLength": 100},
}
_LISTS = ("list", "List", "tuple", "Tuple", "Sequence")
SUPPORTED = "int, float, bool, str, Literal['a', 'b'], list[int] and list[float]"

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}\Z")

_Definition = ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Source:
    """A model as its file defines it.

    Attributes:
        name: The class or function.
        summary: The first line of its docstring.
        parameters: The schema of each setting, with its default and, from the docstring, its
            description.
        has_loss: Whether the file defines `loss(outputs, targets)` too.
    """

    path: Path
    name: str
    summary: str
    parameters: Mapping[str, Mapping[str, Any]]
    has_loss: bool


def parse(word: str, known: Sequence[str]) -> tuple[Path, str | None]:
    """The path and the name that `file.py` or `file.py:Name` stands for."""
    path, _, name = word.partition(".py:")
    path = f"{path}.py" if name else word
    if not path.endswith(".py"):
        raise StudyError(
            f"model: {word!r} is neither {', '.join(known)} nor a Python file (my_model.py or "
            f"my_model.py:Name){suggestion(word, known)}"
        )
    return Path(os.path.expanduser(path)), name or None


def read(path: Path, name: str | None = None) -> Source:
    """The model `name` that `path` defines, or the only one.

    Raises StudyError with file and line for what is no model or no setting.
    """
    tree = parsed(path)
    found = {each.name: each for each in tree.body if isinstance(each, _Definition)}
    models = {each: made for each, node in found.items() if (made := _maker(node))}
    if name is None:
        if not models:
            raise StudyError(
                f"{path}: defines no model: a class (or a function that returns a module) whose "
                "parameters begin with inputs and outputs"
            )
        if len(models) > 1:
            raise StudyError(
                f"{path}: defines {len(models)} models; say which: "
                + " or ".join(f"model: {path}:{each}" for each in models)
            )
        name = next(iter(models))
    elif name not in models:
        what = "is no model: its parameters must begin with inputs and outputs"
        if name not in found:
            what = f"is not defined there{suggestion(name, list(models))}"
        raise StudyError(f"{path}: {name} {what}")
    made = models[name]
    summary, described = _docstring(found[name], made)
    parameters = {
        each.arg: schema | ({"description": described[each.arg]} if each.arg in described else {})
        for each, schema in _settings(path, name, made)
    }
    loss = found.get("loss")
    return Source(path, name, summary, parameters, isinstance(loss, ast.FunctionDef))


def parsed(path: Path) -> ast.Module:
    """The syntax of a file of Python; StudyError with file and line where it has none."""
    try:
        content = read_bytes(path)
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror or error}; `model` must name a file") from None
    if len(content) > MOST_BYTES:
        raise StudyError(f"{path}: has {len(content):,} bytes, which is no model")
    try:
        return ast.parse(content, str(path))
    except SyntaxError as error:
        place = f"{path}:{error.lineno}" if error.lineno else str(path)
        raise StudyError(f"{place}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise StudyError(f"{path}: is no Python: {error}") from None


def _maker(node: _Definition) -> ast.FunctionDef | None:
    """The function whose parameters are a model's: itself, or a class's __init__; else None."""
    made: ast.stmt | None = node
    if isinstance(node, ast.ClassDef):
        own = (each for each in node.body if isinstance(each, ast.FunctionDef))
        made = next((each for each in own if each.name == "__init__"), None)
    if not isinstance(made, ast.FunctionDef):
        return None
    names = [each.arg for each in (*made.args.posonlyargs, *made.args.args)]
    given = tuple(names[isinstance(node, ast.ClassDef) :][: len(GIVEN)])
    return made if given == GIVEN else None


def _settings(
    path: Path, model: str, made: ast.FunctionDef
) -> Iterator[tuple[ast.arg, dict[str, Any]]]:
    """Each setting's parameter with its schema."""
    given = made.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    pairs = list(zip(positional, defaults, strict=True))
    first = [each.arg for each in positional].index(GIVEN[0]) + len(GIVEN)
    pairs = [*pairs[first:], *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    for extra in filter(None, [given.vararg, given.kwarg]):
        raise StudyError(
            f"{path}:{extra.lineno}: {model} takes *{extra.arg}, whose names nobody knows; "
            "name each setting"
        )
    for parameter, default in pairs:
        place = f"{path}:{parameter.lineno}: parameter {parameter.arg!r} of {model}"
        _check_name(place, parameter.arg)
        yield parameter, _schema(place, parameter, default)


def _check_name(place: str, name: str) -> None:
    training = [each for each, schema in definitions().items() if "model" not in schema]
    if name in training:
        raise StudyError(f"{place} is called like a setting of training; give it another name")
    if name in TAKEN:
        raise StudyError(f"{place} is called like a column of results; give it another name")
    if not _NAME.match(name) or name.endswith("_text"):
        raise StudyError(
            f"{place} cannot name a setting: begin with a letter of a to z, use letters, digits "
            "and _, at most 60, and do not end in _text"
        )


def _schema(place: str, parameter: ast.arg, default: ast.expr | None) -> dict[str, Any]:
    """The JSON Schema of a setting, from its annotation and default."""
    value = None if default is None else _literal(place, default)
    if parameter.annotation is None:
        kind = _of_value(value)
        hint = f"{parameter.arg}: {kind}" if kind else f"one of {SUPPORTED}"
        raise StudyError(f"{place} has no type; write {hint}")
    schema = _kind(parameter.annotation)
    if schema is None:
        written = ast.unparse(parameter.annotation)
        raise StudyError(f"{place} is of type {written:.60}; a setting is one of {SUPPORTED}")
    if default is None:
        example = {"integer": "1", "number": "0.0", "boolean": "False", "array": "(1,)"}
        shown = example.get(schema.get("type", ""), repr(schema.get("enum", [""])[0]))
        raise StudyError(
            f"{place} has no default, from which a study starts; write {parameter.arg}: "
            f"{ast.unparse(parameter.annotation)} = {shown}"
        )
    typed = _typed(value, schema)
    if typed is None:
        written = ast.unparse(parameter.annotation)
        raise StudyError(f"{place} is {written:.60}, and its default is {value!r:.60}")
    return schema | {"default": typed}


def _literal(place: str, default: ast.expr) -> Any:
    try:
        return ast.literal_eval(default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise StudyError(
            f"{place} has the default {ast.unparse(default):.60}; write the value itself, since "
            "the file is read and not run"
        ) from None


def _of_value(value: Any) -> str | None:
    """The annotation that fits a default."""
    if isinstance(value, list | tuple) and value:
        inner = _of_value(value[0])
        return f"list[{inner}]" if inner in ("int", "float") else None
    return type(value).__name__ if type(value).__name__ in _KINDS else None


def _kind(annotation: ast.expr) -> dict[str, Any] | None:
    """The schema of what an annotation allows; None for one that is not supported."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            return _kind(ast.parse(annotation.value, mode="eval").body)
        except (SyntaxError, ValueError):
            return None
    name = _last_name(annotation)
    if name is not None and name in _KINDS:
        return dict(_KINDS[name])
    if not isinstance(annotation, ast.Subscript):
        return None
    name, inside = _last_name(annotation.value), annotation.slice
    parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if name == "Literal":
        words = [part.value for part in parts if isinstance(part, ast.Constant)]
        known = all(isinstance(word, str) and word for word in words)
        if not known or len(words) != len(parts) or len(set(words)) != len(words):
            return None
        return {"enum": words}
    if name in _LISTS:
        same = len(parts) == 1 or (
            isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis and len(parts) == 2
        )
        inner = _last_name(parts[0])
        if same and inner is not None and inner in ("int", "float"):
            return {"type": "array", "items": dict(_KINDS[inner]), "maxItems": 100}
    return None


def _last_name(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    """The default as its schema has it; None where it is none."""
    match schema.get("type"):
        case "integer":
            fits = isinstance(value, int) and not isinstance(value, bool)
            return value if fits and abs(value) < 2**63 else None
        case "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
            return float(value) if fits and abs(value) < float("inf") else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "string":
            return value if isinstance(value, str) and 0 < len(value) <= 100 else None
        case "array":
            if not isinstance(value, list | tuple) or len(value) > schema["maxItems"]:
                return None
            items = [_typed(item, schema["items"]) for item in value]
            return None if None in items else items
        case _:
            return value if value in schema["enum"] else None


def _docstring(node: _Definition, made: ast.FunctionDef) -> tuple[str, dict[str, str]]:
    """The first line of a model's docstring, and what it says of each parameter."""
    described: dict[str, str] = {}
    summary = ""
    for each in (made, node):
        short, of_parameters = _sections(ast.get_docstring(each) or "")
        summary = short or summary
        described |= of_parameters
    return summary, described


@functools.cache
def _sections(text: str) -> tuple[str, dict[str, str]]:
    # Imported for a model's file alone.
    import docstring_parser

    try:
        parsed = docstring_parser.parse(text)
    except docstring_parser.ParseError:
        return text.strip().splitlines()[0], {}
    told = {
        each.arg_name: " ".join(each.description.split())
        for each in parsed.params
        if each.description
    }
    return parsed.short_description or "", told
