"""Data of a person's own function: the only form that runs their code, and that when fetching."""

import contextlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from study.data.base import Tell
from study.data.decoded import ARRAYS, Content, Decoded
from study.support.errors import StudyError
from study.support.strict_yaml import suggestion

EXAMPLES = ("images", "numbers")


@dataclass(frozen=True)
class PythonDataset(Decoded):
    """`{python: my_data.py}`, whose `load()` gives x_train, y_train, x_test and y_test.

    x_train and y_train alone are enough. A mapping with these names will do as well. `examples`
    says whether they are `images`, since planning does not run the file, or `numbers`.
    """

    form: ClassVar[str] = "python"
    keys: ClassVar[tuple[str, ...]] = ("examples",)

    @property
    def is_images(self) -> bool:
        """As the config says."""
        return self.options.get("examples") == EXAMPLES[0]

    @classmethod
    def check(cls, options: Mapping[str, Any]) -> None:
        """Examples are one of EXAMPLES."""
        said = options.get("examples", EXAMPLES[1])
        if said not in EXAMPLES:
            raise StudyError(
                f"data.dataset.examples: must be {' or '.join(EXAMPLES)}, is {said!r}"
                f"{suggestion(said, EXAMPLES)}"
            )

    def read(self, sources: Sequence[str], tell: Tell) -> Content:
        """Call load(); what it prints goes to the log."""
        # What is printed there must not get among the program's own output.
        with contextlib.redirect_stdout(sys.stderr):
            found = self._call()
        if isinstance(found, tuple | list) and len(found) in (2, 4):
            found = dict(zip(ARRAYS, found, strict=False))
        if not isinstance(found, Mapping):
            raise StudyError(
                f"{self.path}: load() must return {', '.join(ARRAYS)}, not {type(found).__name__}"
            )
        try:
            named = {name: np.asarray(found[name]) for name in ARRAYS if name in found}
        except (TypeError, ValueError) as error:
            raise StudyError(f"{self.path}: load() returns no arrays ({error!s:.80})") from None
        from study.data.array_content import content

        return content(named, self.options, f"{self.path}: load()")

    def _call(self) -> Any:
        folder = str(self.path.resolve().parent)
        sys.path.insert(0, folder)
        try:
            module = self._module()
            if not callable(getattr(module, "load", None)):
                raise StudyError(f"{self.path}: has no function load()")
            return module.load()
        except StudyError:
            raise
        except (Exception, SystemExit) as error:
            raise StudyError(f"{self.path}{self._line(error)}: {_told(error)}") from None
        finally:
            sys.path.remove(folder)

    def _module(self) -> ModuleType:
        spec = importlib.util.spec_from_file_location(self.path.stem, self.path)
        if spec is None or spec.loader is None:
            raise StudyError(f"{self.path}: is no Python file")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def _line(self, error: BaseException) -> str:
        """The last line of the file that the error came by."""
        own = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == str(self.path)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else own[-1] if own else None
        return f", line {line}" if line else ""


def _told(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {said}".rstrip(": ").splitlines()[0][:200]
