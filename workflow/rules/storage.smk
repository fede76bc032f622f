# Where results lie: in the working directory, under the prefix of a module (docs/howto.md), or in
# Snakemake's default storage (docs/storage.md).

from pathlib import Path

import inside_snakemake as inside
from study.support.errors import StudyError
from study.support.files import link, read_bytes
from study.support.object_store import Folder

# Rules name files as `results/…`, to which Snakemake adds the prefix of a module. All else, such as
# what a command is given as text, has to name the place itself.
RESULTS = Path(inside.with_prefix(workflow, "results/"))


def placed(path):
    """Where a file of a rule, `results/…`, lies."""
    return f"{RESULTS}{path.removeprefix('results')}"


def stored_results():
    """The place of results/ in Snakemake's default storage (docs/storage.md), if it has one.

    results/ is then a link to the local copies that Snakemake keeps of what lies there, so that
    the programs find their files and leave others beside them as ever.
    """
    provider, prefix = inside.default_storage(workflow)
    if provider is None:
        return None
    if not prefix.startswith("s3://"):
        raise StudyError(f"default-storage-prefix: must be s3://…, is {prefix!r}")
    address = f"{prefix.rstrip('/')}/{RESULTS}"
    link(RESULTS, provider.object(address).local_path())
    return Folder(address, provider.settings.endpoint_url)


def result_text(name):
    """The text of a small file of results, wherever they lie; None where it is not there."""
    if STORAGE:
        content = STORAGE.read(name)
    else:
        path = RESULTS / name
        content = read_bytes(path) if path.is_file() else None
    return None if content is None else content.decode("utf-8", "replace")


def in_graph(path):
    """A placed file as Snakemake's graph has it: where it lies in storage, the copy of it."""
    if not STORAGE:
        return path
    provider, _ = inside.default_storage(workflow)
    address = STORAGE.address.removesuffix(str(RESULTS)) + path
    return str(provider.object(address).local_path())
