"""Random views of the training images: shifted by a few pixels, and mirrored."""

import itertools

import torch
from torch import Tensor


class Views:
    """The views of images (n, height * width) that shifts and mirroring can show.

    An image is shifted by up to `shift` pixels along each axis, where what is uncovered is 0, and
    mirrored left to right if `flip` is set: (2 * shift + 1)^2 views, or twice as many. A view is
    a number; 0 to `count` - 1 stand for every one of them.
    """

    def __init__(self, pixels: Tensor, width: int, shift: int, flip: bool):
        self.pixels = pixels
        height = pixels.shape[1] // width
        padded_width = width + 2 * shift
        columns = torch.arange(width)
        rows = torch.arange(height)[:, None] * padded_width
        sides = [columns, columns.flip(0)] if flip else [columns]
        offsets = range(2 * shift + 1)
        windows = [
            (rows + side + down * padded_width + right).reshape(-1)
            for side, down, right in itertools.product(sides, offsets, offsets)
        ]
        self.count = len(windows)
        if self.count > 1:
            frame = pixels.view(-1, height, width)
            self.padded = torch.nn.functional.pad(frame, [shift] * 4).view(len(pixels), -1)
            self.windows = torch.stack(windows).to(pixels.device)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """A random view for each of `n` images, int64 (n,)."""
        return torch.randint(self.count, (n,), generator=generator)

    def take(self, images: Tensor, views: Tensor) -> Tensor:
        """The pixels of `images` (m,) as `views` (m,) show them: uint8 (m, height * width)."""
        if self.count == 1:
            return self.pixels.index_select(0, images)
        first = images * self.padded.shape[1]
        return self.padded.view(-1).take(self.windows.index_select(0, views) + first[:, None])
