"""The JSON Schemas of what people write (workflow/schemas)."""

import copy
import functools
from collections.abc import Hashable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from referencing import Registry
from ruamel.yaml import YAML

from study.support.files import read_bytes
from study.support.resources import resource

SCHEMAS = resource("workflow/schemas")


@functools.cache
def schema(name: str = "config") -> dict[str, Any]:
    """The schema `<name>.schema.yaml`; that of the config knows each setting's lists of values."""
    # By libyaml: every program reads it, and the strict reader takes a quarter of a second.
    content: dict[str, Any] = YAML(typ="safe").load(read_bytes(SCHEMAS / f"{name}.schema.yaml"))
    if name == "config":
        _add_lists(content)
    return content


def definitions() -> dict[str, Any]:
    """The schema of each setting of a study of perceptrons, in the order of tables and texts.

    Those of the perceptron itself have the key `model`.
    """
    found: dict[str, Any] = schema()["$defs"]["settings"]["properties"]
    return found


def definitions_with(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """As `definitions`, with a model's `parameters` in place of the perceptron's."""
    found: dict[str, Any] = {}
    for name, definition in definitions().items():
        if "model" not in definition:
            found[name] = definition
        elif not found.keys() & parameters.keys():
            found |= parameters
    return found


def config_schema(settings: Mapping[str, Any]) -> dict[str, Any]:
    """That of the config of a study that has these `settings`, each with its schema."""
    content = copy.deepcopy(schema())
    content["$defs"]["settings"]["properties"] = dict(settings)
    _add_lists(content)
    return content


def _add_lists(config: dict[str, Any]) -> None:
    """Let `vary` take a list for each setting, whose items are what the setting may be.

    A `space` takes such a list too, or bounds where the setting is a number; not for epochs, which
    are what a search spends.
    """
    experiment = config["properties"]["experiments"]["additionalProperties"]
    vary = experiment["properties"]["vary"]
    settings = config["$defs"]["settings"]["properties"]
    values = {"type": "array", "minItems": 1, "uniqueItems": True}
    vary["properties"] = {name: values | {"items": item} for name, item in settings.items()}
    vary["additionalProperties"] = False
    space = config["properties"]["search"]["additionalProperties"]["properties"]["space"]
    bounds = config["$defs"]["bounds"]
    space["properties"] = {
        name: _in_space(item, vary["properties"][name], bounds)
        for name, item in settings.items()
        if name != "epochs"
    }
    space["additionalProperties"] = False


def _in_space(
    item: Mapping[str, Any], listed: Mapping[str, Any], bounds: Mapping[str, Any]
) -> Mapping[str, Any]:
    """What a space may hold for a setting that is an `item`: `listed`, or bounds of a number."""
    if item.get("type") not in ("integer", "number"):
        return listed
    step = bounds["properties"]["step"] | {"type": item["type"]}
    own = bounds["properties"] | {"low": item, "high": item, "step": step}
    return {
        "description": item.get("description", ""),
        "type": ["array", "object"],
        "if": {"type": "object"},
        "then": {**bounds, "properties": own},
        "else": listed,
    }


def errors(value: Any, wanted: Mapping[str, Any]) -> Iterator[ValidationError]:
    """What a schema refuses in `value`; the schema may refer to claims.schema.yaml."""
    registry = Registry().with_contents([("claims.schema.yaml", schema("claims"))])
    yield from _Validator(wanted, registry=registry).iter_errors(value)


def twice(items: list[Any]) -> Any:
    """The first item that stands in a list for the second time; None where none does."""
    seen = set()
    for item in items:
        if _comparable(item) in seen:
            return item
        seen.add(_comparable(item))
    return None


def _unique_items(
    validator: Any, wanted: bool, instance: Any, _: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """As jsonschema's own, which compares every item of a mixed list with every other."""
    is_list = wanted and validator.is_type(instance, "array")
    if is_list and len(set(map(_comparable, instance))) < len(instance):
        yield ValidationError("has non-unique elements")


def _comparable(value: object) -> Hashable:
    """Equal for what JSON Schema takes for equal: 1 is 1.0, and neither is true."""
    match value:
        case bool():
            return ("boolean", value)
        case Mapping():
            return frozenset((key, _comparable(item)) for key, item in value.items())
        case list() | tuple():
            return tuple(map(_comparable, value))
        case _:
            return value


_Validator = validators.extend(Draft202012Validator, {"uniqueItems": _unique_items})
