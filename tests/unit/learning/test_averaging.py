"""The averaged weights: the formula of their source, and that training itself does not notice."""

import numpy as np
import pytest
import torch

from examples import learnable_images, run_settings, trainer
from study.learning.averaging import Average


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_the_average_is_kingma_and_ba_s_with_its_correction(decay):
    """Against the sum itself: (1 - d) sum over i of d^(t - i) w_i, divided by 1 - d^t."""
    steps = torch.randn(40, 2, 8, generator=torch.Generator().manual_seed(0))
    moving = torch.zeros_like(steps[0])
    average = Average([moving], decay)
    for count, weights in enumerate(steps, 1):
        moving.copy_(weights)
        average.update()
        past = steps[:count].double().numpy()
        faded = (1 - decay) * decay ** np.arange(count - 1, -1, -1)
        expected = np.tensordot(faded, past, 1) / (1 - decay**count)
        np.testing.assert_allclose(average.rows[0].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_training_is_that_without_averaging_and_only_judging_differs():
    images = learnable_images(150)
    trained = {}
    for decay in (0.0, 0.9):
        settings = run_settings(
            hidden=[16], batch_size=16, learning_rate=0.1, dropout=0.2, weight_averaging=decay
        )
        made = trainer(settings, [0, 1], images)
        learned = [made.train_epoch(images) for _ in range(2)]
        trained[decay] = (made, [each["loss"] for each in learned], made.evaluate(images)["loss"])
    plain, averaged = trained[0.0], trained[0.9]
    assert torch.equal(plain[0].model.parameters, averaged[0].model.parameters)
    assert plain[1] == averaged[1]
    assert plain[2] != averaged[2]


def test_the_averaged_weights_are_those_that_are_judged():
    images = learnable_images(60)
    settings = run_settings(hidden=[16], batch_size=16, learning_rate=0.1, weight_averaging=0.9)
    made = trainer(settings, [0], images)
    made.train_epoch(images)
    judged = made.evaluate(images)
    bare = trainer(run_settings(hidden=[16]), [0], images)
    bare.model.parameters.copy_(made.average.rows[0])
    assert bare.evaluate(images) == judged
