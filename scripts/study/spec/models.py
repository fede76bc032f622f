"""The model that a config names, and its settings: read off its source, without running it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from study.spec import model_file
from study.spec.settings import Hyperparameters
from study.support import markdown
from study.support.resources import resource

PERCEPTRON = "mlp"

# Models that come with the program, written as a user would write one.
BUILT_IN = {"cnn": resource("resources/models/cnn.py")}


@dataclass(frozen=True)
class Model:
    """What networks a study trains.

    Attributes:
        word: As `model` of the config has it.
        name: A short name that is part of the names of its runs: `mlp`, `cnn`, `file.Class`.
        summary: The first line of its docstring.
        parameters: The schema of each setting that is its own, in order; None for the perceptron,
            whose settings stand in the config's schema.
        has_loss: Whether its file defines the loss too.
    """

    word: str
    name: str
    summary: str = ""
    parameters: Mapping[str, Mapping[str, Any]] | None = None
    has_loss: bool = False

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Of what a plan's JSON has."""
        return cls(**content)

    @property
    def is_perceptron(self) -> bool:
        return self.name == PERCEPTRON

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        """Of settings that only a file of one's own has, what the catalogues have of others.

        Their name is that of the parameter, and what they are is what the docstring says of it.
        """
        if self.is_perceptron or self.word in BUILT_IN:
            return {}
        found = {}
        for name, schema in (self.parameters or {}).items():
            found[name] = {"name": name, "title": name, "phrase": f"{name} {{value}}"}
            if "description" in schema:
                literal = markdown.escaped(schema["description"])
                found[name]["what"] = literal.replace("{", "{{").replace("}", "}}")
        return found

    @property
    def hyperparameters(self) -> Hyperparameters:
        """All settings of a study of this model."""
        return Hyperparameters.with_model(self.parameters)


MLP = Model(PERCEPTRON, PERCEPTRON)


def describe(word: str) -> Model:
    """The model of that name, or in the Python file of that path, which `:Name` may follow.

    Raises StudyError, naming file, line and parameter, for a file that holds no model.
    """
    if word == PERCEPTRON:
        return MLP
    found = source(word)
    name = word if word in BUILT_IN else f"{found.path.stem}.{found.name}"
    return Model(word, name, found.summary, found.parameters, found.has_loss)


@functools.cache
def source(word: str) -> model_file.Source:
    """Where the model of that name or path is defined, and how; not for the perceptron."""
    if word in BUILT_IN:
        return model_file.read(BUILT_IN[word])
    path, name = model_file.parse(word, [PERCEPTRON, *BUILT_IN])
    return model_file.read(path, name)
