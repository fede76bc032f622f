"""What a result depends on, as short digests, without importing torch."""

import ast
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from study.runs.equal_code import same_code
from study.spec import model_file, models
from study.spec.models import MLP, Model
from study.spec.settings import essential
from study.spec.tasks import CLASSIFICATION

# The plan's `validation`: "test", or which training images are held out.
Validation = str | Mapping[str, Any]

LIBRARY = Path(__file__).resolve().parents[1]


# The modules of the room `learning` that train any run, and those of each model and task. With
# what they import they are all that a run's numbers depend on, so that a new kind of model trains
# no run of another anew.
TRAINING = ("trainer", "split")
MODELS = {"mlp": ("stacked_mlp",), "module": ("modules", "own_loss")}
TASKS = {"classification": "classification", "regression": "regression"}


def kind_of(model: Model) -> str:
    """The key of MODELS by which a study's model is trained."""
    return "mlp" if model.is_perceptron else "module"


def training_modules(model: str = "mlp", task: str = "classification") -> list[Path]:
    """All code that changes what a replicate of this kind of model learns."""
    seen: set[Path] = set()
    for name in (*TRAINING, *MODELS[model], TASKS[task]):
        _follow(LIBRARY / "learning" / f"{name}.py", seen)
    return sorted(seen)


def training_code(model: str = "mlp", task: str = "classification") -> str:
    """The digest of the training code, byte for byte, or that of code known to train the same."""
    return same_code(_digest(training_modules(model, task)))


def training_syntax(model: str = "mlp", task: str = "classification") -> str:
    """The digest of the training code's syntax, without comments, docstrings and layout.

    Or that of code known to train the same, which saved states may hold.
    """
    return same_code(_syntax(training_modules(model, task)))


def model_syntax(model: Model) -> str:
    """The digest of the syntax of a model's file and of the modules beside it that it imports."""
    seen: set[Path] = set()
    _follow_beside(models.source(model.word).path, seen)
    return _syntax(sorted(seen))


def _follow_beside(path: Path, seen: set[Path]) -> None:
    seen.add(path)
    for statement in _statements(model_file.parsed(path)):
        folder, names = path.parent, []
        if isinstance(statement, ast.ImportFrom):
            for _ in range(statement.level - 1):
                folder = folder.parent
            module = statement.module or ""
            names = [module, *(f"{module}.{alias.name}" for alias in statement.names)]
        elif isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
        for name in names:
            parts = [part for part in name.split(".") if part]
            for count in range(1, len(parts) + 1):
                place = folder.joinpath(*parts[:count])
                for module in (place.with_suffix(".py"), place / "__init__.py"):
                    if module.is_file() and module not in seen:
                        _follow_beside(module, seen)


def _syntax(modules: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for module in modules:
        tree = ast.parse(module.read_bytes())
        for node in ast.walk(tree):
            documented = isinstance(
                node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
            )
            if documented and ast.get_docstring(node, clean=False) is not None:
                node.body[0] = ast.Pass()
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def learning(
    data_digest: str,
    validation: Validation,
    outputs: int | None = None,
    model: Model = MLP,
    task: str = CLASSIFICATION.name,
) -> dict[str, str]:
    """Everything but its settings that a run's numbers depend on, wherever it is trained.

    `validation` is the plan's: which images are learned from and judged. `outputs` is the number of
    classes or quantities where the data set's description says it, and not its files alone: of the
    same files two descriptions may say different things. A `model` that a file defines is part of
    it by what the file says. Classification is not named: runs of before there were other tasks
    keep their fingerprints.
    """
    data = hashlib.sha256(f"{data_digest} {json.dumps(validation, sort_keys=True)}".encode())
    return {
        "code": training_code(kind_of(model), task),
        "data": data.hexdigest()[:16],
        "torch": version("torch"),
        **({} if outputs is None else {"outputs": str(outputs)}),
        **({} if model.is_perceptron else {"model": model_syntax(model)}),
        **({} if task == CLASSIFICATION.name else {"task": task}),
    }


def of_run(settings: Mapping[str, Any], learned_from: Mapping[str, str]) -> dict[str, str]:
    """All that a run's numbers depend on: `learning` and its own settings."""
    told = json.dumps(essential(settings), sort_keys=True)
    return {"settings": hashlib.sha256(told.encode()).hexdigest()[:16], **learned_from}


def differing(made: Mapping[str, str], today: Mapping[str, str]) -> list[str]:
    """The keys in which the fingerprint that a run was `made` with is not that of `today`.

    A run of the time before outputs were noted is taken to have those of today.
    """
    assumed = {key: value for key, value in today.items() if key == "outputs"} | dict(made)
    return [key for key, value in today.items() if assumed.get(key) != value]


def program(path: Path, *resources: Path) -> str:
    """The digest of a program, of the library's modules behind it, and of further files."""
    seen: set[Path] = set()
    _follow(path.resolve(), seen)
    return _digest(sorted(seen) + sorted(resources))


def _follow(path: Path, seen: set[Path]) -> None:
    seen.add(path)
    for behind in _read(path)[1]:
        if behind not in seen:
            _follow(behind, seen)


def _read(path: Path) -> tuple[bytes, list[Path]]:
    """A file's content, and the library's modules that it may import where it is of Python."""
    status = path.stat()
    return _read_once(path, status.st_mtime_ns, status.st_size, LIBRARY)


# A workflow asks for many programs at a time, with the same modules behind most of them.
@functools.cache
def _read_once(path: Path, changed: int, size: int, library: Path) -> tuple[bytes, list[Path]]:
    content = path.read_bytes()
    if path.suffix != ".py":
        return content, []
    places = [library / f"{name.replace('.', '/')}.py" for name in _imported(content.decode())]
    return content, [place for place in dict.fromkeys(places) if place.is_file()]


# The usual forms of an import of the library, each of which begins a line.
_IMPORTS = re.compile(
    r"^[ \t]*(?:from study\.([\w.]+) import (\([\w\s,]+\)|[\w, \t]+)"
    r"|import study\.([\w.]+))[ \t]*$",
    re.MULTILINE,
)
# In a line that may be of one, in whatever form.
_MENTION = re.compile(r"(?=.*\bimport\b).*\bstudy\b")


def _imported(source: str) -> list[str]:
    """What a file of Python may import from the library, as names of modules."""
    found = _IMPORTS.findall(source)
    mentions = [
        line
        for line in source.splitlines()
        if line.endswith("\\") or ("study" in line and "import" in line and _MENTION.match(line))
    ]
    # Where more lines may be of one, the tree is asked.
    if len(found) < len(mentions):
        return _imported_by_syntax(source)
    names = []
    for module, members, alone in found:
        members = re.findall(r"\w+(?: as \w+)?", members)
        names += [alone or module, *(f"{module}.{member.split()[0]}" for member in members)]
    return names


def _imported_by_syntax(source: str) -> list[str]:
    """The same of any source, by its syntax tree, which takes ten times as long."""
    names = []
    for statement in _statements(ast.parse(source)):
        if isinstance(statement, ast.ImportFrom) and statement.module:
            module = statement.module
            names += [module, *(f"{module}.{alias.name}" for alias in statement.names)]
        elif isinstance(statement, ast.Import):
            names += [alias.name for alias in statement.names]
    return [name.removeprefix("study.") for name in names if name.startswith("study.")]


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements in `node`, however deep; their expressions, nine of ten nodes, are passed."""
    for name in ("body", "handlers", "orelse", "finalbody", "cases"):
        for inner in getattr(node, name, ()):
            if isinstance(inner, ast.stmt):
                yield inner
            yield from _statements(inner)


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + _read(path)[0] + b"\0")
    return digest.hexdigest()[:16]
