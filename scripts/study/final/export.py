"""The model to take away: the final model's networks, and all that is needed to use them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.data import datasets
from study.final import inference, weights
from study.final.inference import Layers

FILE = "model.safetensors"


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


def of_plan(plan: Mapping[str, Any], run: Path, data: Path) -> Model:
    """The plan's final model; `run` is its run's folder, `data` that of the data set's files."""
    final = plan["final"]
    dataset = datasets.describe(plan["dataset"])
    shape = datasets.read_header(data / dataset.files["test_images"].name)
    images = datasets.map_images(dataset, data, "test").reshape(shape)
    [seeds] = [each["seeds"] for each in plan["runs"] if each["run"] == final["run"]]
    networks = weights.of_run(run, seeds, final["epochs"])
    description = Description(
        dataset=dataset.name,
        classes=class_names(dataset),
        height=shape[1],
        width=shape[2],
        border=round(float(border(images).mean()), 1),
        settings=final["settings"],
        epoch=final["epochs"],
        validation=plan["validation"],
        seeds=list(networks),
    )
    return Model(description, networks)


def border(images: np.ndarray) -> np.ndarray:
    """The pixels at the edge of each image, (images, n)."""
    edge = np.ones(images.shape[1:], bool)
    edge[1:-1, 1:-1] = False
    return images[:, edge]


def class_names(dataset: datasets.Dataset) -> list[str]:
    """The classes' names in English, or else in the first language that there is."""
    names = dataset.class_names
    return list(names if isinstance(names, list) else names.get("en", next(iter(names.values()))))


def write(path: Path, model: Model) -> None:
    """Write the networks as `seed_<n>.layers.<i>.weight` and `.bias`, and their description."""
    tensors: dict[str, np.ndarray] = {}
    for seed, layers in model.networks.items():
        tensors |= weights.tensors(layers, f"seed_{seed}")
    weights.write_described(path, tensors, asdict(model.description))


def read(path: Path) -> Model:
    """What `write` wrote; StudyError where the file is missing or damaged."""
    with weights.opened(path, "export the model again") as file:
        description = Description(**weights.description(file))
        networks = {seed: weights.layers(file, f"seed_{seed}") for seed in description.seeds}
    return Model(description, networks)
