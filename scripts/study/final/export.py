"""The model to take away: the final model's networks, and all that is needed to use them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.data import datasets
from study.data.base import Classes
from study.final import inference, weights
from study.final.inference import Layers
from study.final.weights import DESCRIPTION
from study.spec import schemas
from study.spec.config import checked_settings
from study.spec.plan import Plan

FILE = "model.safetensors"

REMEDY = "export the model again"

# What describes a model, as `read` takes it; the settings have a schema of their own. A name is
# shown on a terminal as it is.
_COUNT = {"type": "integer", "minimum": 1, "maximum": 65_535}
_NAME = {"type": "string", "maxLength": 1000, "pattern": r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"}
_FORM = {
    "type": "object",
    "properties": {
        "dataset": _NAME,
        "classes": {
            "type": "array",
            "items": _NAME,
            "minItems": 2,
            "maxItems": 256,
            "uniqueItems": True,
        },
        "height": _COUNT,
        "width": _COUNT,
        "border": {"type": "number", "minimum": 0, "maximum": 255},
        "settings": {"type": "object", "required": ["activation", "hidden"]},
        "epoch": {"type": "integer", "minimum": 1},
        "validation": {"type": ["string", "object"]},
        "seeds": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0, "maximum": 4_294_967_295},
            "uniqueItems": True,
        },
    },
    "additionalProperties": False,
}
_FORM["required"] = list(_FORM["properties"])


@dataclass(frozen=True)
class Description:
    """What the networks were made from, and what they take and give.

    Images are `height` x `width` grey pixels, 0 to 255, whose edge is `border` on average in the
    data set; `classes` names what each probability is of. `settings` are those of training, `epoch`
    is the one after which the weights were taken, and `validation` is as in plan.json.
    """

    dataset: str
    classes: list[str]
    height: int
    width: int
    border: float
    settings: dict[str, Any]
    epoch: int
    validation: str | dict[str, Any]
    seeds: list[int]


@dataclass(frozen=True)
class Model:
    """The networks of each seed, which are used together: none where every seed diverged."""

    description: Description
    networks: Mapping[int, Layers]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """The mean of the networks' class probabilities, float32 (images, classes).

        `images` is (images, height, width) uint8.
        """
        pixels = images.reshape(len(images), -1)
        activation = self.description.settings["activation"]
        found = [
            inference.probabilities(pixels, layers, activation) for layers in self.networks.values()
        ]
        return np.mean(found, axis=0)


def of_plan(plan: Plan, run: Path, data: Path) -> Model:
    """The plan's final model; `run` is its run's folder, `data` that of the data set's files."""
    final = plan.final
    dataset = datasets.describe(plan.dataset)
    content = dataset.load(data)
    images = content.test.x[:, 0]
    networks = weights.of_run(run, plan.final_run.seeds, final.epochs)
    description = Description(
        dataset=dataset.name,
        classes=class_names(content.targets),
        height=images.shape[1],
        width=images.shape[2],
        border=round(float(border(images).mean()), 1),
        settings=final.settings,
        epoch=final.epochs,
        validation=plan.validation,
        seeds=list(networks),
    )
    return Model(description, networks)


def border(images: np.ndarray) -> np.ndarray:
    """The pixels at the edge of each image, (images, n)."""
    edge = np.ones(images.shape[1:], bool)
    edge[1:-1, 1:-1] = False
    return images[:, edge]


def class_names(classes: Classes) -> list[str]:
    """The classes' names in English, or else in the first language that there is."""
    names = classes.names
    return list(names if isinstance(names, list) else names.get("en", next(iter(names.values()))))


def write(path: Path, model: Model) -> None:
    """Write the networks as `seed_<n>.layers.<i>.weight` and `.bias`, and their description."""
    tensors: dict[str, np.ndarray] = {}
    for seed, layers in model.networks.items():
        tensors |= weights.tensors(layers, f"seed_{seed}")
    weights.write_described(path, tensors, asdict(model.description))


def read_model(path: Path) -> Model:
    """What `write` wrote; StudyError where the file is missing, damaged or of another form."""
    described, tensors = weights.read_described(path, REMEDY)
    fault = next(schemas.errors(described, _FORM), None)
    if fault:
        place = ".".join(map(str, fault.absolute_path))
        raise weights.damaged(path, f"{DESCRIPTION} {place}: {fault.message}", REMEDY)
    settings = checked_settings(described["settings"], str(path))
    # A whole number may be written 5.0.
    whole = {key: int(described[key]) for key in ("height", "width", "epoch")}
    seeds = list(map(int, described["seeds"]))
    description = Description(**described | whole | {"seeds": seeds, "settings": settings})
    sizes = [
        description.height * description.width,
        *settings["hidden"],
        len(description.classes),
    ]
    networks = {
        seed: weights.network(tensors, f"seed_{seed}", sizes, path, REMEDY)
        for seed in description.seeds
    }
    if len(tensors) != 2 * (len(sizes) - 1) * len(networks):
        raise weights.damaged(path, "it holds more than its networks", REMEDY)
    return Model(description, networks)
