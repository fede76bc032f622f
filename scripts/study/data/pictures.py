"""Stored images as they are shown."""

import numpy as np

# Channels of an image in red, green and blue.
COLOURS = 3


def are_colour(x: np.ndarray) -> bool:
    """Whether examples, of any form, are images in colour."""
    return x.ndim == 4 and x.shape[1] == COLOURS


def shown(x: np.ndarray) -> np.ndarray:
    """Images (n, channels, height, width) as a person sees them, uint8.

    Colour ones become (n, height, width, 3), others (n, height, width), of their first channel.
    Numbers from -1 to 1 become 0 to 255.
    """
    images = np.moveaxis(x, 1, 3) if are_colour(x) else x[:, 0]
    if images.dtype == np.uint8:
        return images
    return ((images + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
