"""The learning rate of each step, and gradients that are cut, as torch has them."""

import json

import pytest
import torch
from torch.optim import SGD
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

from examples import run_settings, small_run, tensor_bytes
from study.learning.clipping import clip
from study.learning.schedules import learning_rate
from study.spec import config
from study.spec.plan import run_name
from study.spec.resolution import resolve
from study.spec.settings import identity
from study.support.errors import StudyError

STEPS = 7


def rates(**given):
    """Those of every step of a whole training."""
    settings = {"epochs": 5} | run_settings(learning_rate=0.3, **given)
    return [
        learning_rate(settings, epoch, step, STEPS)
        for epoch in range(1, settings["epochs"] + 1)
        for step in range(STEPS)
    ]


def of_torch(make, steps, **options):
    optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    scheduler = make(optimizer, **options)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_cosine_is_torch_s():
    whole = 5 * STEPS
    assert rates(schedule="cosine", epochs=5) == pytest.approx(
        of_torch(CosineAnnealingLR, whole, T_max=whole)
    )


@pytest.mark.parametrize("epochs", [1, 2, 5])
def test_one_cycle_is_torch_s(epochs):
    whole = epochs * STEPS
    assert rates(schedule="one_cycle", epochs=epochs) == pytest.approx(
        of_torch(OneCycleLR, whole, max_lr=0.3, total_steps=whole)
    )


def test_warm_up_rises_in_even_steps_to_the_rate_and_then_the_schedule_begins():
    found = rates(warmup_epochs=2)
    assert found[: 2 * STEPS] == pytest.approx(
        [0.3 * step / (2 * STEPS) for step in range(1, 2 * STEPS + 1)]
    )
    assert set(found[2 * STEPS :]) == {0.3}
    falling = rates(warmup_epochs=2, schedule="cosine", epochs=5)
    assert falling[2 * STEPS :] == pytest.approx(
        of_torch(CosineAnnealingLR, 3 * STEPS, T_max=3 * STEPS)
    )


def test_without_a_schedule_the_rate_is_the_same_number_as_ever():
    decayed = rates(learning_rate_decay=0.9)
    assert decayed == [0.3 * 0.9**epoch for epoch in range(5) for _ in range(STEPS)]


def test_each_replicate_s_gradient_is_cut_as_torch_cuts_it():
    torch.manual_seed(0)
    gradient = torch.randn(3, 40) * torch.tensor([[0.01], [1.0], [100.0]])
    cut = gradient.clone()
    clip(cut, 2.0)
    for row, own in zip(gradient, cut, strict=True):
        parameter = torch.nn.Parameter(torch.zeros(40))
        parameter.grad = row.clone()
        torch.nn.utils.clip_grad_norm_([parameter], 2.0)
        torch.testing.assert_close(own, parameter.grad)
        alone = row[None].clone()
        clip(alone, 2.0)
        assert torch.equal(alone[0], own)
    assert torch.equal(cut[0], gradient[0])


@pytest.mark.parametrize(
    "chosen",
    [
        {"schedule": "cosine", "epochs": 4, "warmup_epochs": 1, "gradient_clip": 0.5},
        {"schedule": "one_cycle", "epochs": 4, "optimizer": "adam", "learning_rate": 0.01},
    ],
    ids=str,
)
def test_stopped_and_gone_on_beside_others_has_the_same_bytes(chosen):
    settings = run_settings(**{"learning_rate": 0.1, "hidden": [8], "batch_size": 16} | chosen)
    run = small_run(settings)
    alone = run.trainer([1])
    for _ in range(4):
        alone.train_epoch(run.train)
    beside = run.trainer([0, 1])
    for _ in range(2):
        beside.train_epoch(run.train)
    resumed = run.trainer([1])
    resumed.restore(2, [beside.state()[1]])
    for _ in range(2):
        resumed.train_epoch(run.train)
    assert tensor_bytes(resumed.state()[0]) == tensor_bytes(alone.state()[0])


def planned(**baseline):
    described = {"experiments": {"epochs": {"vary": {"epochs": [2, 4]}}}, "baseline": baseline}
    return resolve(config.validated(described, "config.yaml"))


def test_a_schedule_that_ends_makes_epochs_part_of_the_run_and_the_plan_says_so():
    assert [run.epochs for run in planned().runs] == [4]
    falling = planned(schedule="cosine")
    assert [run.epochs for run in falling.runs] == [2, 4]
    assert len({run.run for run in falling.runs}) == 2
    assert [run.settings["epochs"] for run in falling.runs] == [2, 4]
    assert any("each length is trained from its beginning" in note for note in falling.notes)
    again = type(falling).from_json(json.loads(falling.to_json()))
    assert again.runs == falling.runs
    settings = falling.baseline | {"epochs": 10}
    assert identity(settings)["epochs"] == 10
    names = {run_name(settings | {"epochs": epochs}, "D", "test") for epochs in (9, 10, 11)}
    assert len(names) == 3


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ({"schedule": "one_cycle", "warmup_epochs": 1}, "one_cycle warms up by itself"),
        ({"schedule": "cosine", "warmup_epochs": 2}, "warmup_epochs: 2 of 2 epochs leave none"),
        ({"schedule": "cosin"}, "unknown value 'cosin'; did you mean 'cosine'"),
    ],
)
def test_what_cannot_go_together_is_told(baseline, message):
    with pytest.raises(StudyError, match=message):
        planned(**baseline)
