"""The reference of config.yaml, made from the schemas that every config is held against."""

from collections.abc import Iterator, Mapping
from typing import Any

from study.spec.schemas import definitions, schema
from study.support import markdown

Part = Mapping[str, Any]

INTRODUCTION = """\
# Every key of config.yaml

Made by `make reference` from
[config.schema.yaml](../../workflow/schemas/config.schema.yaml) and
[claims.schema.yaml](../../workflow/schemas/claims.schema.yaml); a test fails when it is out of
date. A key that is left out takes its default. What a config may not say is told before anything
is trained, in a line with the file, the key and what is allowed."""

SETTINGS = "[training settings](#training-settings)"

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "`true` or `false`",
    "object": "keys with values",
    "array": "a list",
}

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "maxLength": "of at most {} characters",
}


def text() -> str:
    """The whole reference, in Markdown."""
    config, claims = schema(), schema("claims")
    settings = config["$defs"]["settings"] | {
        "description": "What `baseline`, `with` and `final` set, and `vary` lists values of."
    }
    parts = [
        INTRODUCTION,
        _section("The study", config, config),
        *(
            _section(name, part, config)
            for key, item in config["properties"].items()
            for name, part in _groups(key, item)
        ),
        _section("Training settings", settings, config),
        _section("Bounds", config["$defs"]["bounds"], config),
        *(
            _section(f"Claims: {name}", part, claims)
            for key, item in claims["$defs"].items()
            if key != "quantity_or_number"
            for name, part in _groups(key, item)
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _groups(name: str, part: Part) -> Iterator[tuple[str, Part]]:
    """The parts of the config that have keys of their own, each under its dotted name."""
    part = part | part.get("then", {})
    keys = part.get("properties", {})
    if keys and not _are_settings(keys):
        yield name, part
        for key, item in keys.items():
            yield from _groups(f"{name}.{key}", item)
    if isinstance(part.get("additionalProperties"), Mapping):
        yield from _groups(f"{name}.<name>", part["additionalProperties"])


def _are_settings(keys: Mapping[str, Any]) -> bool:
    """Whether these are the settings, of which a search's space lacks the epochs."""
    return list(keys) in (list(definitions()), [key for key in definitions() if key != "epochs"])


def _section(title: str, part: Part, root: Part) -> str:
    rows = []
    for key, item in part["properties"].items():
        known = _resolved(item, root)
        default = f"`{_yaml(known['default'])}`" if "default" in known else ""
        default = "required" if key in part.get("required", ()) else default
        rows.append([f"`{key}`", _values(item, root), default, known.get("description", "")])
    table = markdown.table(["key", "values", "default", "what"], rows, "llll")
    described = part.get("description", "")
    return "\n\n".join(filter(None, [f"## {title}", described, table]))


def _resolved(part: Part, root: Part) -> Part:
    """The part with what it refers to filled in; what it says itself counts first."""
    if "$ref" not in part:
        return part
    file, _, name = part["$ref"].partition("#/$defs/")
    root = schema("claims") if file else root
    return {**_resolved(root["$defs"][name], root), **part}


def _values(part: Part, root: Part) -> str:
    """What a key may hold, in words."""
    target = part.get("$ref", "").rpartition("/")[2]
    if target == "settings":
        return SETTINGS
    if target == "claims":
        return "a list of [claims](#claims-claim)"
    if "if" in part:
        return f"{_values(part['then'], root)} or {_values(part['else'], root)}"
    known = _resolved(part, root)
    if _are_settings(known.get("properties", {})):
        listed = f"{SETTINGS}, each with a list of values"
        return listed if "epochs" in known["properties"] else f"{listed}, or with [bounds](#bounds)"
    if "enum" in known:
        return ", ".join(f"`{_yaml(value)}`" for value in known["enum"])
    if "properties" in known and root is not schema():
        group = "quantity" if target == "quantity_or_number" else target
        link = f"[{group}](#claims-{group})" if group else "keys, below"
        return f"{link}, or a number" if target == "quantity_or_number" else link
    kinds = known.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    bounds = [form.format(known[key]) for key, form in _BOUNDS.items() if key in known]
    told = []
    for kind in kinds:
        word = _KINDS[kind]
        if kind == "object" and {"properties", "additionalProperties"} & known.keys():
            word = "keys, below"
        elif kind == "array" and "items" in known:
            word = f"a list, each {_values(known['items'], root)}"
        elif kind in ("integer", "number", "string") and bounds:
            word = f"{word} {' and '.join(bounds)}"
        told.append(word)
    return " or ".join(told)


def _yaml(value: Any) -> str:
    """A value as a config would have it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    return str(value)
