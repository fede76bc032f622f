"""The model to take away: the final model's networks, and all that is needed to use them."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.data import datasets
from study.data.base import Classes, Data
from study.data.scaling import AS_STORED, PIXELS, Scaling, Spread, of_inputs, of_targets
from study.final import inference, weights
from study.final.inference import Layers
from study.final.weights import DESCRIPTION
from study.runs import models
from study.spec import schemas
from study.spec.config import checked_settings
from study.spec.plan import Plan

FILE, GRAPH = "model.safetensors", "model.onnx"

REMEDY = "export the model again"

_SEED = re.compile(r"seed_\d{1,10}")

# What describes a model, as `read` takes it; the settings have a schema of their own. A name is
# shown on a terminal as it is.
_COUNT = {"type": "integer", "minimum": 1, "maximum": 65_535}
_NAME = {"type": "string", "maxLength": 1000, "pattern": r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"}
_NUMBER = {"type": "number"}
_FITTED = {
    "type": "object",
    "properties": {
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": _NAME,
                    "mean": _NUMBER,
                    "sd": _NUMBER | {"exclusiveMinimum": 0},
                    "values": {"type": "array", "items": {"type": "string"}},
                    "indicator": {"type": "boolean"},
                },
                "required": ["name"],
                "oneOf": [{"required": ["mean", "sd"]}, {"required": ["values"]}],
                "additionalProperties": False,
            },
        },
        "scaling": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
    },
    "additionalProperties": False,
}
_MODEL = {
    "type": "object",
    "properties": {"name": _NAME, "summary": _NAME, "parameters": {"type": "integer"}},
    "required": ["name", "summary", "parameters"],
    "additionalProperties": False,
}
_IMAGES = {
    "height": _COUNT,
    "width": _COUNT,
    "border": {"type": "number", "minimum": 0, "maximum": 255},
}
_NUMBERS = {
    "shape": {"type": "array", "items": _COUNT, "minItems": 1, "maxItems": 8},
    "fitted": _FITTED,
}
_CLASSES = {
    "classes": {
        "type": "array",
        "items": _NAME,
        "minItems": 2,
        "maxItems": 256,
        "uniqueItems": True,
    },
}
_TARGETS = {
    "targets": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": _NAME,
                "unit": _NAME,
                "mean": _NUMBER,
                "deviation": _NUMBER | {"exclusiveMinimum": 0},
            },
            "required": ["name", "unit", "mean", "deviation"],
            "additionalProperties": False,
        },
        "minItems": 1,
    },
}
_ALWAYS = {
    "dataset": _NAME,
    "settings": {"type": "object"},
    "epoch": {"type": "integer", "minimum": 1},
    "validation": {"type": ["string", "object"]},
    "seeds": {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": 4_294_967_295},
        "uniqueItems": True,
    },
}


def _form(described: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a description, by what it takes and gives."""
    taken = _NUMBERS if "shape" in described else _IMAGES
    given = _TARGETS if "targets" in described else _CLASSES
    optional = {"model": _MODEL} | ({"channels": _COUNT} if taken is _IMAGES else {})
    return {
        "type": "object",
        "properties": {**_ALWAYS, **given, **taken, **optional},
        "required": [*_ALWAYS, *given, *taken],
        "additionalProperties": False,
    }


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the networks were made from, and what they take and give.

    Images are `height` x `width` pixels, 0 to 255, grey ones or in so many `channels`, whose edge
    is `border` on average in the data set. Other examples are numbers of this `shape`, which
    `fitted` says how to make (`Data.fitted`). `classes` names what each probability is of;
    `targets` has instead, for each quantity that is predicted, its name and unit, and the mean and
    the deviation that one of the networks' outputs is scaled by.
    `settings` are those of training, `epoch` is the one after which the weights were taken, and
    `validation` is as in plan.json. `model` has the name, the summary and the number of parameters
    of modules from a file; perceptrons have none.
    """

    dataset: str
    classes: list[str] | None = None
    targets: list[dict[str, Any]] | None = None
    height: int | None = None
    width: int | None = None
    border: float | None = None
    channels: int | None = None
    shape: list[int] | None = None
    fitted: dict[str, Any] | None = None
    settings: dict[str, Any]
    epoch: int
    validation: str | dict[str, Any]
    seeds: list[int]
    model: dict[str, Any] | None = None

    @property
    def is_images(self) -> bool:
        """Whether it takes images of 8 bits, as pictures have them."""
        return self.shape is None

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of an example; grey images are (height, width)."""
        if self.shape is not None:
            return tuple(self.shape)
        channels = () if self.channels is None else (self.channels,)
        return (*channels, self.height, self.width)

    @property
    def outputs(self) -> int:
        """How many numbers a network gives for an example."""
        return len(self.classes or self.targets or ())

    @property
    def answers(self) -> str:
        """What the numbers are."""
        return "predictions" if self.targets else "probabilities"

    @property
    def spread(self) -> Spread | None:
        """How outputs become predictions; None of classes."""
        if self.targets is None:
            return None
        means, deviations = (
            tuple(float(each[key]) for each in self.targets) for key in ("mean", "deviation")
        )
        return means, deviations

    @property
    def scaling(self) -> Scaling:
        """How examples become inputs."""
        return PIXELS if self.is_images else AS_STORED

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class ExportedModel:
    """The networks of each seed, which are used together: none where every seed diverged.

    A perceptron is its layers; a module is its tensors by name, and used by its `graph`.
    """

    description: Description
    networks: Mapping[int, Layers | Mapping[str, np.ndarray]]
    graph: Path | None = None

    def probabilities(self, examples: np.ndarray) -> np.ndarray:
        """The mean of the networks' class probabilities, float32 (examples, classes).

        Of quantities it is that of their predictions, in the targets' units (examples, targets).
        `examples` is (examples, *inputs), uint8 of images and float32 of numbers.
        """
        if self.graph:
            # With onnx, which perceptrons do without.
            from study.final import onnx_graph

            return onnx_graph.computed(self.graph, examples)
        rows = examples.reshape(len(examples), -1)
        described = self.description
        activation = described.settings["activation"]
        found = [
            inference.answers(rows, layers, activation, described.scaling, described.spread)
            for layers in self.networks.values()
        ]
        return np.mean(found, axis=0)


def of_plan(plan: Plan, run: Path, data: Path) -> ExportedModel:
    """The plan's final model; `run` is its run's folder, `data` that of the data set's files."""
    final = plan.final
    dataset = datasets.describe(plan.dataset)
    content = dataset.load(data)
    read = weights.of_run if plan.model.is_perceptron else weights.tensors_of_run
    networks = read(run, plan.final_run.seeds, final.epochs)
    description = Description(
        dataset=dataset.name,
        **_given(content),
        **_taken(content),
        settings=final.settings,
        epoch=final.epochs,
        validation=plan.validation,
        seeds=list(networks),
        model=None if plan.model.is_perceptron else _told(plan, content),
    )
    return ExportedModel(description, networks)


def architecture(plan: Plan, data: Data) -> models.Module:
    """That of a final model which is no perceptron."""
    scaling = of_inputs(data.test.x)
    return models.module(plan.model, plan.final.settings, data.inputs, len(data.targets), scaling)


def _told(plan: Plan, data: Data) -> dict[str, Any]:
    return {
        "name": plan.model.name,
        "summary": plan.model.summary,
        "parameters": architecture(plan, data).parameters,
    }


def _taken(data: Data) -> dict[str, Any]:
    """What of the description says what the networks take."""
    x = data.test.x
    if not (data.dataset.is_images and x.dtype == np.uint8):
        fitted = {key: data.fitted[key] for key in ("columns", "scaling") if key in data.fitted}
        if x.dtype == np.uint8:
            fitted["scaling"] = list(PIXELS)
        return {"shape": list(data.inputs), "fitted": fitted}
    channels, height, width = data.inputs
    told = {"height": height, "width": width, "border": round(float(border(x).mean()), 1)}
    return told if channels == 1 else told | {"channels": channels}


def _given(data: Data) -> dict[str, Any]:
    """What of the description says what the networks give."""
    if isinstance(data.targets, Classes):
        return {"classes": class_names(data.targets)}
    columns = data.targets.names, data.targets.units, *of_targets(data.train.y)
    return {
        "targets": [
            {"name": name, "unit": unit, "mean": float(mean), "deviation": float(deviation)}
            for name, unit, mean, deviation in zip(*columns, strict=True)
        ]
    }


def border(images: np.ndarray) -> np.ndarray:
    """The pixels at the edge of each image (..., height, width): (..., n)."""
    edge = np.ones(images.shape[-2:], bool)
    edge[1:-1, 1:-1] = False
    return images[..., edge]


def class_names(classes: Classes) -> list[str]:
    """The classes' names in English, or else in the first language that there is."""
    names = classes.names
    return list(names if isinstance(names, list) else names.get("en", next(iter(names.values()))))


def write(path: Path, model: ExportedModel) -> None:
    """Write the networks as `seed_<n>.layers.<i>.weight` and `.bias`, and their description."""
    tensors: dict[str, np.ndarray] = {}
    for seed, network in model.networks.items():
        if isinstance(network, Mapping):
            tensors |= {f"seed_{seed}.{name}": tensor for name, tensor in network.items()}
        else:
            tensors |= weights.tensors(network, f"seed_{seed}")
    weights.write_described(path, tensors, model.description.told())


def read_model(path: Path) -> ExportedModel:
    """What `write` wrote; StudyError where the file is missing, damaged or of another form."""
    described, tensors = weights.read_described(path, REMEDY)
    fault = next(schemas.errors(described, _form(described)), None)
    if fault:
        place = ".".join(map(str, fault.absolute_path))
        raise weights.damaged(path, f"{DESCRIPTION} {place}: {fault.message}", REMEDY)
    if "model" in described:
        settings = described["settings"]
    else:
        settings = checked_settings(described["settings"], str(path))
        if not {"activation", "hidden"} <= settings.keys():
            raise weights.damaged(path, f"{DESCRIPTION} settings: names no network", REMEDY)
    # A whole number may be written 5.0.
    whole: dict[str, Any] = {
        key: int(described[key])
        for key in ("height", "width", "channels", "epoch")
        if key in described
    }
    whole |= {key: list(map(int, described[key])) for key in ("seeds", "shape") if key in described}
    description = Description(**described | whole | {"settings": settings})
    if description.model:
        return ExportedModel(
            description, _of_modules(path, description, tensors), path.with_name(GRAPH)
        )
    sizes = [
        math.prod(description.inputs),
        *settings["hidden"],
        description.outputs,
    ]
    networks = {
        seed: weights.network(tensors, f"seed_{seed}", sizes, path, REMEDY)
        for seed in description.seeds
    }
    if len(tensors) != 2 * (len(sizes) - 1) * len(networks):
        raise weights.damaged(path, "it holds more than its networks", REMEDY)
    return ExportedModel(description, networks)


def _of_modules(
    path: Path, description: Description, tensors: Mapping[str, np.ndarray]
) -> dict[int, dict[str, np.ndarray]]:
    """The tensors of each seed's module, by name."""
    found: dict[int, dict[str, np.ndarray]] = {seed: {} for seed in description.seeds}
    for name, tensor in tensors.items():
        prefix, _, own = name.partition(".")
        seed = int(prefix.removeprefix("seed_")) if _SEED.fullmatch(prefix) else -1
        if seed not in found:
            raise weights.damaged(path, f"{name:.60} is of no seed that it names", REMEDY)
        if not np.isfinite(tensor).all():
            raise weights.damaged(path, f"{name:.60} holds values that are no numbers", REMEDY)
        found[seed][own] = tensor
    return found
