"""Settings: which a study has, which of them an optimizer uses, and how they are written."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from study.spec.schemas import definitions, definitions_with

# One setting's value, and settings by name: the schema, and not the type, says what each may be.
Setting = bool | int | float | str | list[int] | list[float]
Settings = Mapping[str, Any]

# What only some optimizers use; every other setting matters to all.
USED_BY = {"momentum": {"sgd", "rmsprop"}, "nesterov": {"sgd"}}

# Settings that a run's name always tells. The others appear where they differ from their neutral
# default, so that a later version can add settings and keep the names of older runs.
ALWAYS_NAMED = ("optimizer", "learning_rate", "dropout", "hidden", "batch_size")


def is_used(name: str, optimizer: str) -> bool:
    """Whether the setting `name` changes anything under `optimizer`."""
    return optimizer in USED_BY.get(name, {optimizer})


@dataclass(frozen=True)
class Hyperparameters:
    """All settings of a study, those of training and those of its model.

    Attributes:
        definitions: The schema of each, in the order of tables and texts.
    """

    definitions: Mapping[str, Mapping[str, Any]]

    @classmethod
    def with_model(cls, parameters: Mapping[str, Mapping[str, Any]] | None = None) -> Self:
        """Those of training with the `parameters` of a model; None for the perceptron's."""
        return cls(definitions() if parameters is None else definitions_with(parameters))

    @property
    def names(self) -> list[str]:
        """All settings, in the order of tables and texts."""
        return list(self.definitions)

    def default(self, name: str) -> Setting:
        """The neutral default of a setting."""
        value: Setting = self.definitions[name]["default"]
        return value

    def complete(self, settings: Settings) -> dict[str, Any]:
        """All settings, in order: those given, in their schema's type, and defaults for the rest.

        What is given of another model is left out.
        """
        return {
            name: _typed(settings.get(name, definition["default"]), definition)
            for name, definition in self.definitions.items()
        }


def has_an_end(settings: Settings) -> bool:
    """Whether the schedule depends on how many epochs there are to be."""
    return bool(settings.get("schedule", "constant") != "constant")


def identity(settings: Settings) -> dict[str, Any]:
    """What changes the learning, of complete settings: all that the optimizer uses.

    Epochs are not, unless the schedule depends on them.
    """
    return {
        name: value
        for name, value in settings.items()
        if (name != "epochs" or has_an_end(settings)) and is_used(name, settings["optimizer"])
    }


def essential(settings: Settings) -> dict[str, Any]:
    """The identity without what stands at its neutral default and is not always named.

    A setting that a later version adds, with a neutral default, changes nothing here. One that only
    a model has is always in it: its default is the model's to change.
    """
    neutral = definitions()
    return {
        name: value
        for name, value in identity(settings).items()
        if name in ALWAYS_NAMED or name not in neutral or value != neutral[name]["default"]
    }


def _typed(value: Any, definition: Mapping[str, Any]) -> Any:
    match definition.get("type"):
        case "number":
            # Zero has one name: -0.0 + 0.0 is 0.0.
            return float(value) + 0.0
        case "integer":
            return int(value)
        case "array":
            return [_typed(item, definition["items"]) for item in value]
        case _:
            return value


def text(value: Setting) -> str:
    """One setting's value, language-neutral: `0.0001`, `128-64`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        shown = repr(value)
        return f"{Decimal(shown):f}" if "e" in shown and 1e-9 <= abs(value) < 1e9 else shown
    if isinstance(value, list | tuple):
        return "-".join(str(item) for item in value)
    return str(value)


def value_text(varied: Settings) -> str:
    """One value of an experiment: the setting's value, or `key=value, key=value` of a grid."""
    if len(varied) == 1:
        return text(*varied.values())
    return ", ".join(f"{key}={text(value)}" for key, value in varied.items())
