"""What each part of the results was made from: the receipt that its program writes at its end.

Snakemake goes by files' times and by notes of its own, which `--touch`, a copy or a lost
.snakemake/ make wrong. A receipt goes by content: it names the file with the part's plan
(spec/shares.py), and the checksums of all that was read and written. A part whose receipt does not
hold is made anew.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from study.support.files import read_own, read_text, sha256, write_text

# Folders of results/.
PLANS = Path("plans")
RECEIPTS = Path("receipts")


@dataclass(frozen=True)
class Stamp:
    """A file as it was: its length in bytes, its time in nanoseconds and its SHA-256."""

    bytes: int
    time: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """The stamp of a file, which is read; OSError where that fails."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns, sha256(path))

    def fits(self, path: Path) -> bool:
        """Whether the file's content is as it was.

        A file with the same length and time is taken to be as it was, as git does.
        """
        try:
            status = path.stat()
            if status.st_size != self.bytes:
                return False
            return status.st_mtime_ns == self.time or sha256(path) == self.sha256
        except OSError:
            return False

    def renewed(self, path: Path) -> "Stamp":
        """With the file's time as it is now, where its content is as it was."""
        return replace(self, time=path.stat().st_mtime_ns) if self.fits(path) else self


@dataclass(frozen=True)
class Receipt:
    """What a part was made from, and what was made: files, as the program was given their paths.

    `plan` is the file with what the part takes of the plan, named by its content.
    """

    plan: str
    inputs: Mapping[str, Stamp]
    outputs: Mapping[str, Stamp]

    def holds(self) -> bool:
        """Whether all that was read and written is still as it was."""
        files = [*self.inputs.items(), *self.outputs.items()]
        return all(stamp.fits(Path(name)) for name, stamp in files)

    def altered(self) -> list[str]:
        """The files written that have another content now, without those that are gone."""
        return [
            name
            for name, stamp in self.outputs.items()
            if Path(name).exists() and not stamp.fits(Path(name))
        ]


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in `path`; None where there is none, or none as it was written.

    StudyError where the disk fails: it is not to be taken for one that is not there.
    """
    try:
        content = json.loads(read_text(path))
        inputs, outputs = (
            {name: Stamp(**stamp) for name, stamp in content[key].items()}
            for key in ("inputs", "outputs")
        )
        return Receipt(str(content["plan"]), inputs, outputs)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def of_part(results: Path, part: str) -> Path:
    """Where the receipt of a part lies."""
    return results / RECEIPTS / f"{part}.json"


@contextmanager
def receipt(path: Path | None, plan: Path, inputs: Iterable[Path]) -> Iterator[list[Path]]:
    """Write the receipt `path` for what the body makes, by `plan`, from the files `inputs`.

    The body appends the files that it writes to the list that it gets. Without a `path`, as when
    a person calls the program, there is no receipt; the next call of the workflow then makes anew
    what was written.
    """
    made: list[Path] = []
    if path is None:
        yield made
        return
    # One that is missing is the body's to tell.
    stamps = {str(file): Stamp.of(file) for file in inputs if file.is_file()}
    yield made
    _write(path, Receipt(str(plan), stamps, {str(file): Stamp.of(file) for file in made}))


def plan_file(results: Path, part: str, content: str, stored: bool = False) -> Path:
    """The file with `content`, the part's plan, that the part is made from; written if need be.

    Where the part's receipt holds and is of this content, it is the file that the receipt names.
    Else it is a file of a new name: Snakemake, which has not seen it, makes the part anew. So a
    plan that is written for another configuration, or by a dry run, disturbs nobody.

    Of results that are `stored` elsewhere there are no files here to hold a receipt against:
    storage gives them back as they were or not at all, and the content alone names the file.
    """
    digest = hashlib.sha256(content.encode()).hexdigest()[:12]
    known = read_receipt(of_part(results, part))
    if stored:
        file = results / PLANS / f"{part}-{digest}-stored.json"
    elif known and _digest(known.plan) == digest and known.holds():
        file = Path(known.plan)
    else:
        file = results / PLANS / f"{part}-{digest}-{time.time_ns():x}.json"
    # One that was altered would give numbers of no configuration.
    if read_own(file, most=len(content.encode()) + 1) != content.encode():
        write_text(file, content)
    return file


def _digest(plan: str) -> str:
    return Path(plan).stem.rpartition("-")[0].rpartition("-")[2]


def settle(results: Path) -> None:
    """After a call: note the times that Snakemake has set, and remove plans that were of no use.

    Snakemake touches what a job has made once the job is done.
    """
    used = set()
    for path in sorted((results / RECEIPTS).glob("*.json")):
        known = read_receipt(path)
        if known is None:
            continue
        used.add(Path(known.plan))
        outputs = {name: stamp.renewed(Path(name)) for name, stamp in known.outputs.items()}
        if outputs != known.outputs:
            _write(path, replace(known, outputs=outputs))
    for file in (results / PLANS).glob("*.json"):
        if file not in used:
            file.unlink(missing_ok=True)


def _write(path: Path, receipt: Receipt) -> None:
    write_text(path, json.dumps(asdict(receipt), indent=1) + "\n")
