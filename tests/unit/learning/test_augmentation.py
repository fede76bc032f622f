"""Views of the training images: those that shifting and mirroring can show, each as often."""

import itertools

import numpy as np
import pytest
import torch

from study.learning.augmentation import RandomShiftFlip
from study.learning.streams import stream

HEIGHT, WIDTH = 4, 5


def images(count=3):
    pixels = np.random.default_rng(0).integers(1, 256, (count, HEIGHT, WIDTH), np.uint8)
    return torch.from_numpy(pixels.reshape(count, -1))


def shown_by_numpy(pixels, shift, flip):
    """Every view of one image, by shifting and mirroring it as an array."""
    image = pixels.reshape(HEIGHT, WIDTH).numpy()
    padded = np.pad(image, shift)
    steps = range(2 * shift + 1)
    views = [
        padded[down : down + HEIGHT, right : right + WIDTH]
        for down, right in itertools.product(steps, steps)
    ]
    # Mirrored as it is seen: an image that was moved, then turned, is one that was turned, then
    # moved the other way.
    views += [view[:, ::-1] for view in views] * flip
    return {view.tobytes() for view in views}


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("shift", [0, 1, 2, 8])
def test_the_views_of_an_image_are_all_its_shifts_and_mirrored_ones(shift, flip):
    pixels = images()
    views = RandomShiftFlip(pixels, (1, HEIGHT, WIDTH), shift, flip)
    assert views.count == (2 * shift + 1) ** 2 * (1 + flip)
    every = torch.arange(views.count)
    for image in range(len(pixels)):
        shown = views.take(torch.full_like(every, image), every)
        assert shown.dtype == torch.uint8
        assert {row.numpy().tobytes() for row in shown} == shown_by_numpy(
            pixels[image], shift, flip
        )


def test_without_shift_and_mirroring_images_are_shown_as_they_are():
    pixels = images()
    views = RandomShiftFlip(pixels, (1, HEIGHT, WIDTH), 0, False)
    chosen = torch.tensor([2, 0, 2])
    assert torch.equal(views.take(chosen, views.draw(3, stream(0, "views", 1))), pixels[chosen])


def test_every_view_is_drawn_about_as_often():
    views = RandomShiftFlip(images(), (1, HEIGHT, WIDTH), 1, True)
    drawn = views.draw(18_000, stream(0, "views", 1))
    counts = torch.bincount(drawn, minlength=views.count)
    # 1000 expected of each of 18; six standard deviations.
    assert (counts - 1000).abs().max() < 6 * 31
