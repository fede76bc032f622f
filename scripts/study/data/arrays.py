"""Arrays x_train, y_train, x_test and y_test, of a NumPy file."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from study.data.base import Tell
from study.data.decoded import ARRAYS, Content, Decoded
from study.support.errors import StudyError

# Those of x_train where it holds images: examples, perhaps channels, height and width.
IMAGE_DIMENSIONS = (3, 4)


@dataclass(frozen=True)
class ArraysDataset(Decoded):
    """`{arrays: file.npz}`."""

    form: ClassVar[str] = "arrays"

    @property
    def is_images(self) -> bool:
        """Whether x_train has more dimensions than a table, by its header alone."""
        try:
            with zipfile.ZipFile(self.path) as file, file.open(f"{ARRAYS[0]}.npy") as array:
                major, _ = np.lib.format.read_magic(array)
                read = (
                    np.lib.format.read_array_header_1_0
                    if major == 1
                    else np.lib.format.read_array_header_2_0
                )
                shape, _, _ = read(array)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile):
            return False  # what is wrong is told when the file is read
        return len(shape) in IMAGE_DIMENSIONS

    def plain_task(self) -> str:
        """By the values of y_train, which are read."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                values = file[ARRAYS[1]]
        except Exception:
            return "classification"  # what is wrong is told when the file is read
        # With pandas, which planning does without where the config names the task.
        from study.data.array_content import plain_task

        return plain_task(values, str(self.path))

    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """The arrays of the file; pickled objects, which could run anything, are refused."""
        try:
            with np.load(self.path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files if name in ARRAYS}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise StudyError(
                f"{self.path}: is no .npz file of plain arrays ({error!s:.80})"
            ) from None
        # With pandas, which planning does without.
        from study.data.array_content import content

        return content(arrays, self.options, str(self.path))
