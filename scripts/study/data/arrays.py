"""Arrays x_train, y_train, x_test and y_test, of a NumPy file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from study.data.base import Tell
from study.data.decoded import ARRAYS, Content, Decoded
from study.support.errors import StudyError


@dataclass(frozen=True)
class ArraysDataset(Decoded):
    """`{arrays: file.npz}`."""

    form: ClassVar[str] = "arrays"

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
