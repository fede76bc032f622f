"""Random views of the training images: shifted by a few pixels, and mirrored."""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor


class RandomShiftFlip:
    """The views of images (n, channels * height * width) that shifts and mirroring can show.

    An image is shifted by up to `shift` pixels along each axis, where what is uncovered is 0, and
    mirrored left to right if `flip` is set: (2 * shift + 1)^2 views, or twice as many. A view is
    a number; 0 to `count` - 1 stand for every one of them. `shape` is that of an image, height and
    width last. Without shift and mirroring, examples of any shape have one view.
    """

    def __init__(self, pixels: Tensor, shape: Sequence[int], shift: int, flip: bool):
        self.pixels = pixels
        self.count = (2 * shift + 1) ** 2 * (1 + flip)
        if self.count == 1:
            return
        *planes, height, width = shape
        padded_height, padded_width = height + 2 * shift, width + 2 * shift
        columns = torch.arange(width)
        rows = torch.arange(height)[:, None] * padded_width
        channels = torch.arange(torch.Size(planes).numel()) * padded_height * padded_width
        sides = [columns, columns.flip(0)] if flip else [columns]
        offsets = range(2 * shift + 1)
        windows = [
            (channels[:, None, None] + rows + side + down * padded_width + right).reshape(-1)
            for side, down, right in itertools.product(sides, offsets, offsets)
        ]
        frames = pixels.view(-1, height, width)
        self.padded = torch.nn.functional.pad(frames, [shift] * 4).view(len(pixels), -1)
        self.windows = torch.stack(windows).to(pixels.device)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """A random view for each of `n` images, int64 (n,)."""
        return torch.randint(self.count, (n,), generator=generator)

    def take(self, images: Tensor, views: Tensor) -> Tensor:
        """The pixels of `images` (m,) as `views` (m,) show them: (m, channels * height * width)."""
        if self.count == 1:
            return self.pixels.index_select(0, images)
        first = images * self.padded.shape[1]
        return self.padded.view(-1).take(self.windows.index_select(0, views) + first[:, None])
