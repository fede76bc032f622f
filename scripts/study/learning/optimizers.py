"""torch.optim's optimizers on a stack's parameters, by their functional form.

The classes of torch.optim import torch's compiler when they are made, which costs each training
process about two seconds and 150 MB; the functions under them are the same arithmetic. All work
element by element, so that they may see the whole stack as one tensor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.optim.adadelta import adadelta
from torch.optim.adagrad import adagrad
from torch.optim.adam import adam
from torch.optim.adamax import adamax
from torch.optim.nadam import nadam
from torch.optim.radam import radam
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd


@dataclass(frozen=True)
class Rule:
    """A functional optimizer: the state that it keeps and its options, torch's defaults.

    `tensors` are its arguments of the parameters' shape, zero at first; `numbers` those that
    count steps, with their first values. `numbers` are shared by a stack, whose replicates stand
    at the same step.
    """

    update: Callable[..., None]
    tensors: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=lambda: {"state_steps": 0.0})
    options: Mapping[str, Any] = field(default_factory=dict)


_MOMENTS = ("exp_avgs", "exp_avg_sqs")
_BETAS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
_ADAM = {"max_exp_avg_sqs": [], "amsgrad": False, "maximize": False, "fused": True} | _BETAS

RULES = {
    "sgd": Rule(
        sgd,
        ("momentum_buffer_list",),
        {},
        {"dampening": 0.0, "maximize": False, "fused": True},
    ),
    "adam": Rule(adam, _MOMENTS, options=_ADAM),
    "adamw": Rule(adam, _MOMENTS, options=_ADAM | {"decoupled_weight_decay": True}),
    "rmsprop": Rule(
        rmsprop,
        ("square_avgs", "momentum_buffer_list"),
        options={"grad_avgs": [], "alpha": 0.99, "eps": 1e-8, "centered": False, "foreach": False},
    ),
    "adagrad": Rule(
        adagrad,
        ("state_sums",),
        options={"lr_decay": 0.0, "eps": 1e-10, "maximize": False, "fused": True},
    ),
    "adadelta": Rule(
        adadelta,
        ("square_avgs", "acc_deltas"),
        options={"rho": 0.9, "eps": 1e-6, "maximize": False, "foreach": False},
    ),
    "adamax": Rule(adamax, ("exp_avgs", "exp_infs"), options=_BETAS | {"foreach": False}),
    "nadam": Rule(
        nadam,
        _MOMENTS,
        {"state_steps": 0.0, "mu_products": 1.0},
        _BETAS | {"momentum_decay": 0.004, "foreach": False},
    ),
    "radam": Rule(radam, _MOMENTS, options=_BETAS | {"foreach": False}),
}


class Optimizer:
    """Steps of one optimizer on `parameters`, given `gradient` of the same shape.

    `settings` are the run's. `state` holds what must be saved to go on: tensors of the
    parameters' shape, and numbers.
    """

    def __init__(self, settings: Mapping[str, Any], parameters: Tensor, gradient: Tensor):
        rule = RULES[settings["optimizer"]]
        device = parameters.device
        self.update = rule.update
        self.parameters, self.gradient = parameters, gradient
        self.options = dict(rule.options) | {"weight_decay": settings["weight_decay"]}
        for name in ("momentum", "nesterov"):
            if name in settings:
                self.options[name] = settings[name]
        if device.type == "mps":
            self.options.pop("fused", None)
        # Fused optimizers want their count of steps on the device.
        count_on = device if self.options.get("fused") else "cpu"
        self.state = {
            name: torch.zeros_like(parameters) for name in rule.tensors if self._keeps(name)
        } | {name: torch.tensor(first, device=count_on) for name, first in rule.numbers.items()}
        self._lists = {name: [] for name in rule.tensors} | {
            name: [tensor] for name, tensor in self.state.items()
        }

    def _keeps(self, name: str) -> bool:
        return name != "momentum_buffer_list" or self.options["momentum"] > 0

    def step(self, learning_rate: float) -> None:
        """Change `parameters` by one step."""
        self.update(
            [self.parameters],
            [self.gradient],
            **self._lists,
            **self.options,
            lr=learning_rate,
        )
