"""Which settings can go together."""

from collections.abc import Mapping
from typing import Any

from study.spec.models import Model
from study.spec.settings import USED_BY, has_an_end, is_used, text
from study.support.errors import StudyError

# What a loss of a model's own leaves unused.
OF_CROSS_ENTROPY = ("label_smoothing", "class_weights")


def check(
    model: Model,
    place: str,
    settings: Mapping[str, Any],
    varied: Mapping[str, Any],
    notes: list[str],
) -> None:
    """Refuse settings that cannot go together; note inherited ones that are ignored.

    `place` is where in the config they come from, of which `varied` are varied there.
    """
    optimizer = settings["optimizer"]
    for name in USED_BY:
        if is_used(name, optimizer):
            continue
        if name in varied:
            raise StudyError(
                f"{place}.vary.{name}: the optimizer {optimizer!r} does not use {name!r}; "
                "set another optimizer in this experiment's `with:`"
            )
        if settings[name] != model.hyperparameters.default(name):
            notes.append(f"{place}: {optimizer} ignores {name} = {text(settings[name])}")
    for name in OF_CROSS_ENTROPY if model.has_loss else ():
        if settings[name] != model.hyperparameters.default(name):
            raise StudyError(f"{place}: {name} changes nothing: {model.word} has a loss of its own")
    warmup, epochs = settings["warmup_epochs"], settings["epochs"]
    if settings["schedule"] == "one_cycle" and warmup:
        raise StudyError(f"{place}: one_cycle warms up by itself; leave warmup_epochs at 0")
    if has_an_end(settings) and warmup >= epochs:
        raise StudyError(f"{place}: warmup_epochs: {warmup} of {epochs} epochs leave none after it")
    if has_an_end(settings):
        notes.append(
            f"{place}: under schedule {settings['schedule']} a training of {epochs} epochs is none "
            "of more or fewer: each length is trained from its beginning"
        )
    if is_used("nesterov", optimizer) and settings["nesterov"] and settings["momentum"] == 0:
        raise StudyError(f"{place}: nesterov needs a momentum above 0")
