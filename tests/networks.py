"""Made-up networks and images, and a model to take away that was never trained."""

from collections.abc import Sequence

import numpy as np

from study.final.export import Description, ExportedModel
from study.final.inference import Layers

SIDE = 6


def random_layers(sizes: Sequence[int], seed: int = 0) -> Layers:
    """Layers of a network with `sizes` units, input and output included."""
    random = np.random.default_rng(seed)
    return [
        (
            (2 * random.normal(size=(after, before)) / np.sqrt(before)).astype(np.float32),
            random.normal(size=after).astype(np.float32),
        )
        for before, after in zip(sizes, sizes[1:], strict=False)
    ]


def random_images(count: int = 11) -> np.ndarray:
    """Images that the model takes."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)


def made_up_model(
    activation: str = "relu", hidden: Sequence[int] = (9, 5), seeds: Sequence[int] = (0, 3, 4)
) -> ExportedModel:
    """A model of three classes."""
    classes = ["cat", "dög", "c"]
    described = Description(
        dataset="Data",
        classes=classes,
        height=SIDE,
        width=SIDE,
        border=3.5,
        settings={"activation": activation, "hidden": list(hidden)},
        epoch=7,
        validation="test",
        seeds=list(seeds),
    )
    sizes = [SIDE**2, *hidden, len(classes)]
    return ExportedModel(described, {seed: random_layers(sizes, seed) for seed in seeds})
