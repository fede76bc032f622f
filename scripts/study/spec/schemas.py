"""The JSON Schemas of what people write (workflow/schemas)."""

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry
from ruamel.yaml import YAML

SCHEMAS = Path(__file__).parents[3] / "workflow" / "schemas"


@functools.cache
def schema(name: str = "config") -> dict[str, Any]:
    """The schema `<name>.schema.yaml`."""
    # By libyaml: every program reads it, and the strict reader takes a quarter of a second.
    return YAML(typ="safe").load(SCHEMAS / f"{name}.schema.yaml")


def errors(value: Any, wanted: Mapping[str, Any]) -> Iterator[ValidationError]:
    """What a schema refuses in `value`; the schema may refer to claims.schema.yaml."""
    registry = Registry().with_contents([("claims.schema.yaml", schema("claims"))])
    return Draft202012Validator(wanted, registry=registry).iter_errors(value)
