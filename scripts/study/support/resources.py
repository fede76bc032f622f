"""Files that the package needs and that are no code: texts, templates, schemas.

They lie in the clone's folders, where people find and edit them. The built package has them within
itself, under the same names (pyproject.toml).
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def resource(name: str) -> Path:
    """A file or folder by its path in a clone, such as `resources/languages`."""
    installed = PACKAGE / name
    return installed if installed.exists() else PACKAGE.parents[1] / name


# None where the package is installed elsewhere, whatever lies above its folder there.
CLONE = None if (PACKAGE / "resources").exists() else PACKAGE.parents[1]


def project_file(name: str) -> Path:
    """A file of this project that is not installed: the clone's, or the current folder's."""
    return CLONE / name if CLONE else Path(name)
