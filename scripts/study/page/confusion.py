"""The page's confusion matrix: in each cell a count, and behind it images of what it counts."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from study.final.evaluation import Evaluation
from study.report.words import Words

# Of data sets with more classes there is the static figure alone.
MOST_CLASSES = 20

MOST_EXAMPLES = 6

GAP = 2  # pixels between two images


@dataclass(frozen=True)
class Cell:
    """How many images of one class are taken for another.

    `form` of words is that of one image or of others. `share` is that of all images of the class.
    `picture` is a data URI of examples side by side, empty where there are none, and `confidences`
    are the probabilities that they have for the class that they are taken for.
    """

    count: str
    form: str
    share: float
    percent: str
    examples: int
    picture: str
    confidences: list[str]


def cells(
    evaluation: Evaluation, images: np.ndarray | None, words: Words
) -> list[list[Cell | None]]:
    """The matrix by label and by predicted class; None where no seed has anything.

    `images` are the test images as data/pictures.py shows them; None of other examples.
    """
    counts = evaluation.confusion
    sizes = np.maximum(counts.sum(axis=1), 1)
    digits = 1 if len(evaluation.seeds) > 1 else 0
    return [
        [
            _cell(evaluation, images, label, taken, float(count / sizes[label]), words, digits)
            if count
            else None
            for taken, count in enumerate(row)
        ]
        for label, row in enumerate(counts)
    ]


def _cell(
    evaluation: Evaluation,
    images: np.ndarray | None,
    label: int,
    taken: int,
    share: float,
    words: Words,
    digits: int,
) -> Cell:
    found = evaluation.examples(label, taken, MOST_EXAMPLES)
    # A mean over several seeds has a decimal, and is no single image.
    count = words.number(evaluation.confusion[label, taken], digits)
    return Cell(
        count=count,
        form="one" if count == "1" else "other",
        share=round(share, 4),
        percent=words.language.percent(share, 1),
        examples=len(found),
        picture=(
            _picture(images[found["image"].to_numpy()]) if images is not None and len(found) else ""
        ),
        confidences=[words.language.percent(each, 0) for each in found["confidence"]],
    )


def _picture(images: np.ndarray) -> str:
    """Images side by side as the data URI of a PNG; grey ones dark on light."""
    count, height, width, *channels = images.shape
    strip = np.full((height, count * (width + GAP) - GAP, *channels), 255, np.uint8)
    for place, image in enumerate(images):
        left = place * (width + GAP)
        strip[:, left : left + width] = image if channels else 255 - image
    png = io.BytesIO()
    Image.fromarray(strip).save(png, "png", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
