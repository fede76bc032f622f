"""A model's file, run: what it defines, and whether it can be trained exactly. Imports no torch.

Its faults are told as the file's own, with the line.
"""

import contextlib
import importlib.util
import io
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study.runs import failures
from study.spec.model_file import Source
from study.support.errors import StudyError, printable

if TYPE_CHECKING:
    from torch import Tensor, nn

    from study.learning.examples import Examples
    from study.learning.model import Model
    from study.learning.objective import Objective
    from study.runs.models import Module

# The name under which a model's file is imported: none that a package has.
MODULE = "model_of_the_study"


def load(source: Source) -> tuple[Callable[..., "nn.Module"], Callable[..., "Tensor"] | None]:
    """The class or function of a model, and its `loss` where it has one, by running its file.

    Raises StudyError where the file raises, prints or defines no such thing.
    """
    folder = str(source.path.resolve().parent)
    # Where Python looks for what is imported by a program that lies there.
    if folder not in sys.path:
        sys.path.insert(0, folder)
    described = importlib.util.spec_from_file_location(MODULE, source.path)
    if described is None or described.loader is None:
        raise StudyError(f"{source.path}: is no file of Python")
    module = importlib.util.module_from_spec(described)
    sys.modules[MODULE] = module
    printed = io.StringIO()
    with told(source, "it is imported"), contextlib.redirect_stdout(printed):
        try:
            described.loader.exec_module(module)
        except SystemExit as error:
            # One of its own: training is not told to stop yet.
            raise RuntimeError(f"it ends the program ({error})") from error
    if printed.getvalue():
        shown = printable(printed.getvalue().strip().splitlines()[0][:60])
        raise StudyError(
            f"{source.path}: prints when it is imported ({shown!r}); it may define things alone"
        )
    found = getattr(module, source.name, None)
    if not callable(found):
        raise StudyError(f"{source.path}: {source.name} is no class or function once it is run")
    return found, module.loss if source.has_loss else None


@contextlib.contextmanager
def told(source: Source, when: str) -> Iterator[None]:
    """Tell an error that the model's file has made as one of its own, with its line.

    What another attempt or another machine can mend, such as a want of memory, stays what it is.
    """
    from study.learning.modules import ModelError

    try:
        yield
    except ModelError as error:
        raise StudyError(f"{source.path}: {source.name}: {error}") from error
    except Exception as error:
        line = _own_line(source.path, error)
        mendable = failures.kind_of(error) not in (failures.BUG, failures.INPUT)
        if line is None or mendable or isinstance(error, StudyError):
            raise
        shown = printable(str(error).splitlines()[0][:300]) if str(error) else "no message"
        raise StudyError(
            f"{line}: {type(error).__name__}: {shown} (in the model's file, when {when})"
        ) from error


def _own_line(path: Path, error: Exception) -> str | None:
    """The file and line, of the model's file or of one beside it, in which an error came up."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    folder = path.resolve().parent
    chain = filter(None, [error, error.__cause__])
    own = [
        f"{path if Path(frame.filename).resolve() == path.resolve() else frame.filename}"
        f":{frame.lineno}"
        for each in chain
        for frame in traceback.extract_tb(each.__traceback__)
        if Path(frame.filename).resolve().is_relative_to(folder)
        and "site-packages" not in frame.filename
    ]
    return own[-1] if own else None


def check(
    source: Source,
    architecture: "Module",
    objective: "Objective",
    examples: "Examples",
    device: str,
) -> None:
    """Raise StudyError where networks of this architecture cannot be trained exactly.

    `examples` are some to learn from. What the module gives must be finite, and the same again from
    the same random numbers of torch's.
    """
    with told(source, "its module is made and tried"):
        once, again = (
            _tried(architecture.build([0], device), objective, examples) for _ in range(2)
        )
    if not np.isfinite(once[0]).all():
        raise StudyError(
            f"{source.path}: {source.name}: forward gives {_not_finite(once[0])} for training "
            "examples before it has learned anything"
        )
    if any(first.tobytes() != second.tobytes() for first, second in zip(once, again, strict=True)):
        raise StudyError(
            f"{source.path}: {source.name}: its numbers are others when it is made and tried "
            "again; draw random numbers from torch alone, by torch's own generator"
        )


def _tried(model: "Model", objective: "Objective", examples: "Examples") -> list[np.ndarray]:
    """Of an untrained model: outputs in evaluation and in training, gradient, all that it has."""
    inputs = examples.inputs[None]
    evaluated = model.forward(inputs)
    trained = model.forward(inputs, model.streams([0], 1))
    model.backward(objective.gradient(trained, objective.wanted(examples.targets)[None]))
    kept = [model.gradient, model.parameters, *model.buffers.values()]
    return [each.detach().cpu().numpy().copy() for each in (evaluated, trained, *kept)]


def _not_finite(outputs: np.ndarray) -> Any:
    return outputs[~np.isfinite(outputs)][0]
