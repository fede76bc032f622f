"""What a result depends on, as short digests, without importing torch."""

import ast
import hashlib
from importlib.metadata import version
from pathlib import Path

LIBRARY = Path(__file__).parent

# All code that changes what a replicate learns; a test holds it against what training imports.
TRAINING_MODULES = ("layout", "network", "optimizers", "streams", "training")


def training_code() -> str:
    """The digest of the training code, byte for byte."""
    return _digest(LIBRARY / f"{module}.py" for module in TRAINING_MODULES)


def learning(data_digest: str) -> dict[str, str]:
    """Everything but its settings that a run's numbers depend on, wherever it is trained."""
    return {"code": training_code(), "data": data_digest, "torch": version("torch")}


def program(path: Path, *resources: Path) -> str:
    """The digest of a program, of the library's modules behind it, and of further files."""
    seen: set[Path] = set()
    _follow(path, seen)
    return _digest(sorted(seen) + sorted(resources))


def _follow(path: Path, seen: set[Path]) -> None:
    seen.add(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            package, _, module = name.partition(".")
            behind = LIBRARY / f"{module}.py"
            if package == "study" and behind.is_file() and behind not in seen:
                _follow(behind, seen)


def _digest(paths) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
