"""Made-up settings, images and runs, for the tests of training and of what is made from it."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from study.data.scaling import PIXELS
from study.learning.examples import Examples
from study.learning.trainer import Trainer
from study.runs import models, replicates
from study.spec.models import MLP
from study.spec.schemas import definitions
from study.spec.settings import identity
from study.spec.tasks import CLASSIFICATION

# As scripts/train.py does: exactness is promised for one thread.
torch.set_num_threads(1)

# For properties whose examples take long, and short.
FEW = hypothesis_settings(max_examples=hypothesis_settings.default.max_examples // 2)
MANY = hypothesis_settings(max_examples=hypothesis_settings.default.max_examples * 6)

OPTIMIZERS = definitions()["optimizer"]["enum"]
ACTIVATIONS = definitions()["activation"]["enum"]

# Sizes around the widths of vector registers and of torch's tiles, and odd ones.
_WIDTHS = [2, 3, 5, 7, 8, 9, 16, 17, 31, 33, 64]
_BATCHES = [1, 2, 3, 7, 8, 16, 17, 32, 33, 64]


def training_settings(**fixed: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Settings of small and odd networks, all that the schema takes, as a run holds them."""
    return st.builds(
        _used,
        st.fixed_dictionaries(
            {
                "optimizer": st.sampled_from(OPTIMIZERS),
                "learning_rate": st.sampled_from([0.001, 0.01, 0.1]),
                "learning_rate_decay": st.sampled_from([1.0, 0.5]),
                "momentum": st.sampled_from([0.0, 0.9]),
                "nesterov": st.booleans(),
                "weight_decay": st.sampled_from([0.0, 0.01]),
                "gradient_clip": st.sampled_from([0.0, 0.5]),
                "warmup_epochs": st.sampled_from([0, 2]),
                "label_smoothing": st.sampled_from([0.0, 0.1]),
                "class_weights": st.sampled_from(["none", "balanced"]),
                "dropout": st.sampled_from([0.0, 0.2, 0.5]),
                "hidden": st.lists(st.sampled_from(_WIDTHS), min_size=1, max_size=3),
                "activation": st.sampled_from(ACTIVATIONS),
                "batch_size": st.sampled_from(_BATCHES),
                "weight_averaging": st.sampled_from([0.0, 0.9]),
                "shift": st.sampled_from([0, 1]),
                "flip": st.booleans(),
                "precision": st.sampled_from(["float32", "bfloat16"]),
            }
            | {name: st.just(value) for name, value in fixed.items()}
        ),
    )


def run_settings(**given: Any) -> dict[str, Any]:
    """The settings of a run, with defaults for those that are not given."""
    return identity(MLP.hyperparameters.complete(given))


def _used(given: dict[str, Any]) -> dict[str, Any]:
    return run_settings(**given | {"nesterov": given["nesterov"] and given["momentum"] > 0})


def random_images(count: int, features: int = 12, classes: int = 4, seed: int = 0) -> Examples:
    """Random pixels and labels, the same for the same arguments."""
    random = np.random.default_rng([count, features, classes, seed])
    pixels = random.integers(0, 256, (count, features), dtype=np.uint8)
    labels = random.integers(0, classes, count, np.uint8)
    # Two rows of pixels, if they can be.
    width = features // 2 if features % 2 == 0 else features
    return Examples.from_arrays(pixels.reshape(count, 1, -1, width), labels, "cpu")


def learnable_images(count: int, features: int = 16, classes: int = 4, seed: int = 0) -> Examples:
    """Images that show their class, under noise: pixel `label` and every fourth one behind it."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count, np.uint8)
    bright = np.arange(features) % classes == labels[:, None]
    pixels = np.clip(90 + 75 * bright + random.normal(0, 60, bright.shape), 0, 255)
    return Examples.from_arrays(pixels.astype(np.uint8).reshape(count, 1, 2, -1), labels, "cpu")


def small_run(
    settings: dict[str, Any], count: int = 37, kind: str = "cpu test", **sizes: int
) -> replicates.Training:
    """A run on few random images."""
    train = random_images(count, **sizes)
    validation = random_images(23, **sizes, seed=1)
    return a_run(settings, train, validation, sizes.get("classes", 4), kind)


def a_run(
    settings: dict[str, Any],
    train: Examples,
    validation: Examples,
    classes: int = 4,
    kind: str = "cpu test",
) -> replicates.Training:
    """A run that learns from `train` and is evaluated on `validation`."""
    return replicates.Training(
        settings,
        train,
        validation,
        models.architecture(MLP, settings, train.shape, classes, PIXELS),
        CLASSIFICATION,
        models.objective(CLASSIFICATION, settings, classes),
        "cpu",
        kind,
    )


def trainer(
    settings: dict[str, Any], seeds: Iterable[int], examples: Examples, classes: int = 4
) -> Trainer:
    """Untrained replicates for such examples."""
    return a_run(settings, examples, examples, classes).trainer(list(seeds))


def tensor_bytes(tensors: dict[str, Any]) -> dict[str, bytes]:
    """The bytes of tensors or arrays by name, for exact comparison."""
    return {name: np.asarray(tensor).tobytes() for name, tensor in tensors.items()}
