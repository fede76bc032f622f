"""A look at the data itself: some images of each class."""

from pathlib import Path

import numpy as np

from study.data import pictures
from study.data.base import Data
from study.figures import drawing
from study.support.language import Language

IMAGES_OF_A_CLASS = 14


def draw(data: Data, language: Language, folder: Path) -> None:
    """Write mosaic.<language>.png and .svg: the first training images of each class, in a row."""
    images, labels = pictures.shown(data.train.x), data.train.y
    classes = data.targets.in_language(language.code)
    _, height, width, *channels = images.shape
    gap = max(width // 14, 1)
    size = (len(classes) * (height + gap), IMAGES_OF_A_CLASS * (width + gap))
    # White, which is 0 where grey is drawn dark on light.
    canvas = np.full((*size, *channels), 255 if channels else 0, np.uint8)
    for label in range(len(classes)):
        top = label * (height + gap)
        for i, image in enumerate(np.flatnonzero(labels == label)[:IMAGES_OF_A_CLASS]):
            left = i * (width + gap)
            canvas[top : top + height, left : left + width] = images[image]
    title = language.text("figures.mosaic", dataset=data.dataset.name, n=IMAGES_OF_A_CLASS)
    row_height = 0.65 * (height + gap) / (width + gap)
    with drawing.sheet(0.5 + row_height * len(classes), title) as figure:
        axes = figure.subplots()
        axes.imshow(canvas, cmap="gray_r", interpolation="none")
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.set_xticks([])
        axes.set_yticks(height / 2 + (height + gap) * np.arange(len(classes)), classes)
        axes.tick_params("y", length=0)
        drawing.save(figure, folder, "mosaic", language)
