"""Where IDX files come from: a folder, torchvision's mirrors, a Debian package."""

import contextlib
import functools
import gzip
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from study.data.base import DamagedFileError, Tell
from study.data.idx import DebianPackage, IdxDataset
from study.support.errors import StudyError

MIRROR_SECONDS = (5, 30)  # to connect, between two packets
# Of a file, downloaded or unpacked: a mirror or a gzip may send without an end.
MOST_BYTES = 4_000_000_000
APT_SECONDS = 600  # for one call
ROOT = Path("/")  # what a package's folder is relative to once installed

_BLOCK = 1 << 20  # bytes
_GZIP_MAGIC = b"\x1f\x8b"
_LISTED_FAILURES = 7  # with the lines around them, at most ten on the screen


class SourceError(Exception):
    """Why a source cannot serve a data set, in a few words."""


class ContentError(SourceError):
    """What of a source's files is not as the data set is described."""


# An attempt is given an empty folder to work in and returns the folder that holds the data files.
Attempt = Callable[[Path], Path]


def fetch_from_first(dataset: IdxDataset, sources: Sequence[str], output: Path, tell: Tell) -> None:
    """Fill `output` with the data set's decompressed, verified files.

    `sources` are tried in order: "torchvision", "debian", or the path of a folder with the files,
    plain or .gz. `tell` gets one line for each source that was tried. Raises StudyError when no
    source serves the files or they cannot be written.
    """
    failures = []
    found = False
    for source in sources:
        try:
            _fetch_from(source, dataset, output)
        except SourceError as error:
            found = found or isinstance(error, ContentError)
            failures.append(f"{source}: {error}")
            tell(f"{dataset.name}: not from {failures[-1]}")
        else:
            tell(f"{dataset.name}: served by {source}, verified, now in {output}")
            return
    if len(failures) > _LISTED_FAILURES:
        failures[_LISTED_FAILURES:] = [f"and {len(failures) - _LISTED_FAILURES} more sources"]
    if found:
        raise StudyError(
            "\n  ".join([f"{dataset.name} is not as {dataset.described_in} says:", *failures])
            + "\nMend the files, name others under data.sources, or describe these anew: "
            "scripts/describe_data.py."
        )
    names = ", ".join(file.name for file in dataset.files.values())
    raise StudyError(
        "\n  ".join([f"no source has the data set {dataset.name}:", *failures])
        + f"\nPut {names} (plain or .gz) into a folder and name it under data.sources."
    )


def _fetch_from(source: str, dataset: IdxDataset, output: Path) -> None:
    failures = []
    kind = SourceError
    for attempt in _attempts(source, dataset):
        with (
            _empty_folder(output / ".incoming") as incoming,
            _empty_folder(incoming / "work") as work,
        ):
            try:
                origin = attempt(work)
                for file in dataset.files.values():
                    _decompress(origin, file.name, incoming)
                dataset.verify(incoming)
            except SourceError as error:
                failures.append(str(error))
            except DamagedFileError as error:
                failures.append(error.summary)
                kind = ContentError
            except OSError as error:
                failures.append(f"{error.filename}: {error.strerror}")
            else:
                for file in dataset.files.values():
                    (incoming / file.name).replace(output / file.name)
                return
    raise kind("; ".join(failures))


@contextlib.contextmanager
def _empty_folder(path: Path) -> Iterator[Path]:
    # What is there now was left by a process that was killed.
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _attempts(source: str, dataset: IdxDataset) -> list[Attempt]:
    match source:
        case "torchvision":
            mirrors, names = _torchvision_mirrors(dataset)
            return [functools.partial(_download, mirror, names) for mirror in mirrors]
        case "debian":
            debian = dataset.debian
            if not debian:
                raise SourceError("the description names no Debian package")
            return [
                lambda _: _existing_folder(
                    ROOT / debian.folder, f"{debian.package} is not installed"
                ),
                functools.partial(_unpacked_package, debian),
            ]
        case _:
            folder = Path(os.path.expanduser(source))
            return [lambda _: _existing_folder(folder, "no such folder")]


def _existing_folder(folder: Path, otherwise: str) -> Path:
    if not folder.is_dir():
        raise SourceError(otherwise)
    return folder


def _torchvision_mirrors(dataset: IdxDataset) -> tuple[list[str], list[str]]:
    """The mirrors' URLs, and the names that the data set's files have there."""
    if not dataset.torchvision:
        raise SourceError("the description names no torchvision class")
    try:
        # Costs seconds, so only when its turn comes.
        published = getattr(import_module("torchvision.datasets"), dataset.torchvision)
        mirrors, resources = published.mirrors, published.resources
    except ImportError:
        raise SourceError("torchvision is not installed") from None
    except RuntimeError:  # made for another version of torch
        raise SourceError("torchvision cannot be imported") from None
    except AttributeError:
        raise SourceError(f"torchvision lists no mirrors for {dataset.torchvision!r}") from None
    wanted = {file.name for file in dataset.files.values()}
    return mirrors, [name for name, *_ in resources if name.removesuffix(".gz") in wanted]


def _download(mirror: str, names: Iterable[str], work: Path) -> Path:
    retry = Retry(
        total=2,
        connect=1,
        read=1,
        backoff_factor=0.5,
        status_forcelist=[429, 500, 502, 503, 504],
        raise_on_status=False,
        respect_retry_after_header=False,
    )
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        for name in names:
            _write(work / name, _blocks_of_url(session, mirror, name))
    return work


def _blocks_of_url(session: requests.Session, mirror: str, name: str) -> Iterator[bytes]:
    try:
        with session.get(f"{mirror}{name}", stream=True, timeout=MIRROR_SECONDS) as response:
            if not response.ok:
                raise SourceError(f"{mirror}{name}: HTTP {response.status_code}")
            yield from response.iter_content(_BLOCK)
    except requests.RequestException as error:
        cause = getattr(error.args[0], "reason", error) if error.args else error
        raise SourceError(f"{mirror}: {type(cause).__name__}") from error


def _unpacked_package(debian: DebianPackage, work: Path) -> Path:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise SourceError("no apt-get and dpkg-deb to download it with")
    apt = [
        "apt-get",
        "-oAcquire::http::Timeout=15",
        "-oAcquire::https::Timeout=15",
        "-oAcquire::Retries=1",
        "-oAPT::Sandbox::User=root",
    ]
    try:
        _run([*apt, "download", debian.package], work)
    except SourceError:
        # The system's package lists may be missing or out of date, and only root may renew them.
        for folder in ("state/lists/partial", "cache/archives/partial"):
            (work / folder).mkdir(parents=True)
        place = work.resolve()
        apt += [f"-oDir::State={place}/state", f"-oDir::Cache={place}/cache"]
        with contextlib.suppress(SourceError):  # one repository out of many may fail
            _run([*apt, "-oAcquire::Languages=none", "update"], work)
        _run([*apt, "download", debian.package], work)
    for package in work.glob("*.deb"):
        _run(["dpkg-deb", "-x", package.name, "."], work)
    return _existing_folder(work / debian.folder, f"{debian.package} has no {debian.folder}")


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(
            command,
            cwd=folder,
            env=os.environ | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=APT_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{command[0]} took more than {APT_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.splitlines() or [f"exit code {error.returncode}"]
        first_error = next((line for line in said if line.startswith("E: ")), said[-1])
        raise SourceError(f"{command[0]}: {first_error.removeprefix('E: ')[:120]}") from error


def _decompress(origin: Path, name: str, target: Path) -> None:
    candidates = [origin / name, origin / f"{name}.gz"]
    found = next((path for path in candidates if path.is_file()), None)
    if not found:
        raise SourceError(f"neither {name} nor {name}.gz there")
    _write(target / name, _blocks_of_file(found))


def _blocks_of_file(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as raw:
            compressed = raw.peek(2).startswith(_GZIP_MAGIC)
            content = gzip.GzipFile(fileobj=raw) if compressed else raw
            yield from iter(lambda: content.read(_BLOCK), b"")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise SourceError(f"{path.name}: damaged gzip file") from error
    except OSError as error:
        raise SourceError(f"{path.name}: {error.strerror}") from error


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    try:
        with path.open("wb") as file:
            for block in blocks:
                file.write(block)
                if file.tell() > MOST_BYTES:
                    raise SourceError(f"{path.name}: is larger than {MOST_BYTES:,} bytes")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}") from error
