"""The data come from the first source that has them right, once, and a failure is told shortly."""

import dataclasses
import gzip
import http.server
import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

from mnistlike import write_dataset
from study.data import sources
from study.data.base import CHECKSUMS
from study.data.datasets import describe
from study.support.errors import StudyError

PROGRAM = Path(sources.__file__).parents[2] / "fetch_data.py"
IMAGES = "train-images-idx3-ubyte"
LABELS = "train-labels-idx1-ubyte"


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A folder with a made-up data set: four .gz files and mnistlike.yaml."""
    return write_dataset(tmp_path_factory.mktemp("served"), train=60, test=20, side=8).parent


@pytest.fixture
def dataset(served):
    return describe(served / "mnistlike.yaml")


@pytest.fixture
def damaged(served, tmp_path):
    """The same folder with one pixel of one image another."""
    folder = shutil.copytree(served, tmp_path / "damaged")
    content = bytearray(gzip.decompress((folder / f"{IMAGES}.gz").read_bytes()))
    content[-1] ^= 1
    (folder / f"{IMAGES}.gz").write_bytes(gzip.compress(content))
    return folder


def fetch_from(dataset, output, *names):
    """The lines told while fetching."""
    lines = []
    dataset.fetch(output, [str(name) for name in names], lines.append)
    return lines


def failure(dataset, output, *names):
    """The reasons in the error when no source serves the data set, one for each source."""
    with pytest.raises(StudyError) as error:
        fetch_from(dataset, output, *names)
    first, *reasons, advice = str(error.value).splitlines()
    assert dataset.name in first
    assert "data.sources" in advice
    assert not any((output / file.name).exists() for file in dataset.files.values())
    assert not (output / CHECKSUMS).exists()
    return [reason.strip() for reason in reasons]


def program(*arguments, **options):
    command = [sys.executable, PROGRAM, *arguments]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=60, **options
    )


# A folder that the user has


@pytest.mark.parametrize("form", ["plain", "gz"])
def test_a_users_folder_serves_plain_and_compressed_files(dataset, served, tmp_path, form):
    folder = shutil.copytree(served, tmp_path / "mine")
    if form == "plain":
        for path in folder.glob("*.gz"):
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
    lines = fetch_from(dataset, tmp_path / "out", folder)
    dataset.verify(tmp_path / "out")
    assert lines == [f"MnistLike: served by {folder}, verified, now in {tmp_path / 'out'}"]


def test_the_output_folder_holds_the_files_and_their_checksums_alone(dataset, served, tmp_path):
    fetch_from(dataset, tmp_path / "out", served)
    names = {file.name for file in dataset.files.values()}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names | {CHECKSUMS, ".lock"}
    assert (tmp_path / "out" / CHECKSUMS).read_text().splitlines() == [
        f"{file.sha256}  {file.name}" for file in dataset.files.values()
    ]


def test_a_folder_may_be_relative_or_in_the_home_directory(dataset, served, tmp_path, monkeypatch):
    monkeypatch.chdir(served.parent)
    monkeypatch.setenv("HOME", str(served.parent))
    fetch_from(dataset, tmp_path / "a", served.name)
    fetch_from(dataset, tmp_path / "b", f"~/{served.name}")


def test_sources_are_tried_in_order_until_one_serves(dataset, served, damaged, tmp_path):
    lines = fetch_from(dataset, tmp_path / "out", "absent", damaged, served, "torchvision")
    assert [line.split(":")[1].strip() for line in lines] == [
        "not from absent",
        f"not from {damaged}",
        f"served by {served}, verified, now in {tmp_path / 'out'}",
    ]
    assert f"{IMAGES}: has SHA-256" in lines[1]


@pytest.mark.parametrize(
    ("break_file", "reason"),
    [
        (lambda path: path.unlink(), f"neither {LABELS} nor {LABELS}.gz there"),
        (lambda path: path.write_bytes(path.read_bytes()[:-12]), f"{LABELS}.gz: damaged gzip file"),
        (lambda path: path.write_bytes(b"\x1f\x8b junk"), f"{LABELS}.gz: damaged gzip file"),
        (lambda path: path.write_bytes(b"<html>"), f"{LABELS}: is no IDX file"),
        (lambda path: path.write_bytes(b""), f"{LABELS}: is no IDX file"),
    ],
)
def test_a_source_with_a_wrong_file_is_passed_over(dataset, served, tmp_path, break_file, reason):
    folder = shutil.copytree(served, tmp_path / "mine")
    break_file(folder / f"{LABELS}.gz")
    assert failure(dataset, tmp_path / "out", folder) == [f"{folder}: {reason}"]


def test_a_folder_that_cannot_be_looked_at_is_passed_over(dataset, served, tmp_path):
    """A name too long for any folder stands in for a forbidden one, which root may always see."""
    unreadable = "x" * 300
    lines = fetch_from(dataset, tmp_path / "out", unreadable, "~nobody-of-that-name/raw", served)
    assert lines[0].endswith("File name too long")
    assert lines[1].endswith("~nobody-of-that-name/raw: no such folder")
    assert "served by" in lines[2]


# What is there already


def test_a_second_call_downloads_nothing_and_touches_nothing(dataset, served, tmp_path):
    """A touched file would make Snakemake look at everything that depends on it."""
    out = tmp_path / "out"
    fetch_from(dataset, out, served)
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.name != ".lock"}
    lines = fetch_from(dataset, out, "no source is looked at")
    assert lines == [f"MnistLike: already in {out}, verified"]
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_an_altered_file_is_told_and_fetched_again(dataset, served, tmp_path):
    out = tmp_path / "out"
    fetch_from(dataset, out, served)
    with (out / IMAGES).open("r+b") as file:
        file.truncate(100)
    lines = fetch_from(dataset, out, served)
    assert lines[0].startswith(f"{out}/{IMAGES}: has 100 bytes")
    dataset.verify(out)


def test_what_a_killed_process_left_is_cleared_away(dataset, served, tmp_path):
    leftover = tmp_path / "out" / ".incoming" / "work"
    leftover.mkdir(parents=True)
    (leftover / "half.deb").write_bytes(b"half")
    fetch_from(dataset, tmp_path / "out", served)
    assert not (tmp_path / "out" / ".incoming").exists()


# torchvision's mirrors, played by a server on this machine


@pytest.fixture
def mirror(served, damaged):
    """A server whose folders are mirrors of different kinds; `asked` lists the paths it got."""
    asked = []
    closing = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            _, kind, name = self.path.split("/")
            if kind == "hanging":
                closing.wait()
                return
            folder = damaged if kind == "damaged" else served
            content = (folder / name).read_bytes()
            self.send_response({"absent": 404, "busy": 503}.get(kind, 200))
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Retry-After", "3600")
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if kind == "cut" else content)

        def log_message(self, *_):
            """Not on the screen."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", asked=asked)
        closing.set()
        server.shutdown()


@pytest.fixture
def published(dataset, mirror, monkeypatch):
    """The data set, as a class in torchvision.datasets with mirrors of the given kinds."""

    def publish(*kinds):
        listed = SimpleNamespace(
            mirrors=[f"{mirror.url}/{kind}/" for kind in kinds],
            resources=[("more.gz", "md5")]
            + [(f"{file.name}.gz", "md5") for file in dataset.files.values()],
        )
        module = SimpleNamespace(Listed=listed)
        monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
        monkeypatch.setattr(sources, "MIRROR_SECONDS", (0.5, 0.5))
        for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        return dataclasses.replace(dataset, torchvision="Listed")

    return publish


def test_a_mirror_is_asked_for_the_four_files_once(published, mirror, tmp_path):
    dataset = published("good", "damaged")
    lines = fetch_from(dataset, tmp_path / "out", "torchvision")
    dataset.verify(tmp_path / "out")
    assert mirror.asked == [f"/good/{file.name}.gz" for file in dataset.files.values()]
    assert lines[0].startswith("MnistLike: served by torchvision")


def test_the_next_mirror_helps_out_for_a_damaged_one(published, tmp_path):
    dataset = published("damaged", "absent", "good")
    assert len(fetch_from(dataset, tmp_path / "out", "torchvision")) == 1
    dataset.verify(tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("hanging", "/hanging/: ReadTimeoutError"),
        ("cut", "/cut/: ChunkedEncodingError"),
        ("absent", f"/absent/{IMAGES}.gz: HTTP 404"),
        ("busy", f"/busy/{IMAGES}.gz: HTTP 503"),
        ("damaged", f"{IMAGES}: has SHA-256"),
    ],
)
def test_a_bad_mirror_is_given_up_soon_and_the_next_source_serves(
    published, served, tmp_path, kind, reason
):
    began = time.monotonic()
    lines = fetch_from(published(kind), tmp_path / "out", "torchvision", served)
    assert time.monotonic() - began < 10
    assert reason in lines[0]
    assert f"served by {served}" in lines[1]


def test_an_unreachable_mirror_is_told_in_a_few_words(published, tmp_path):
    dataset = published("good")
    sys.modules["torchvision.datasets"].Listed.mirrors = ["http://127.0.0.1:1/"]
    [reason] = failure(dataset, tmp_path / "out", "torchvision")
    assert reason == "torchvision: http://127.0.0.1:1/: NewConnectionError"


def test_a_data_set_that_torchvision_does_not_have_is_told(dataset, published, tmp_path):
    published("good")
    unknown = dataclasses.replace(dataset, torchvision="Unknown")
    assert failure(dataset, tmp_path / "out", "torchvision") == [
        "torchvision: the description names no torchvision class"
    ]
    assert failure(unknown, tmp_path / "out", "torchvision") == [
        "torchvision: torchvision lists no mirrors for 'Unknown'"
    ]


def test_a_missing_torchvision_is_a_source_that_failed(published, tmp_path, monkeypatch):
    dataset = published("good")
    monkeypatch.setitem(sys.modules, "torchvision.datasets", None)
    assert failure(dataset, tmp_path / "out", "torchvision") == [
        "torchvision: torchvision is not installed"
    ]


# Debian's package, with an apt-get that this test makes

APT_GET = """#!/bin/sh
echo "$*" >> {log}
{before}
case "$*" in
  *Dir::State=*" update") echo "E: one repository is down" >&2; exit 100 ;;
  *{works_with}*" download made-up") touch made-up.deb ;;
  *) echo "W: a warning" >&2; echo "E: Unable to locate package made-up" >&2; exit 100 ;;
esac
"""
DPKG_DEB = """#!/bin/sh
[ "$*" = "-x made-up.deb ." ] && mkdir -p usr/share/made-up && cp {served}/*.gz usr/share/made-up
"""


@pytest.fixture
def packaged(served, tmp_path):
    """The path of the data set's description with a Debian package added."""
    description = YAML().load(served / "mnistlike.yaml")
    description["MnistLike"]["debian"] = {"package": "made-up", "folder": "usr/share/made-up"}
    YAML().dump(description, tmp_path / "packaged.yaml")
    return tmp_path / "packaged.yaml"


@pytest.fixture
def apt(served, tmp_path, monkeypatch):
    """Put an apt-get on the PATH that knows the package only with `works_with`; gives its log."""

    def install(works_with, before=""):
        log = tmp_path / "apt.log"
        programs = {
            "apt-get": APT_GET.format(log=log, works_with=works_with, before=before),
            "dpkg-deb": DPKG_DEB.format(served=served),
        }
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return log

    return install


def test_an_installed_package_is_read_where_it_lies(packaged, served, apt, tmp_path, monkeypatch):
    log = apt("Dir::State=")
    monkeypatch.setattr(sources, "ROOT", tmp_path / "root")
    shutil.copytree(served, tmp_path / "root" / "usr/share/made-up")
    fetch_from(describe(packaged), tmp_path / "out", "debian")
    assert not log.exists()


def test_a_package_is_downloaded_without_installing_it(packaged, apt, tmp_path):
    log = apt("Acquire")
    dataset = describe(packaged)
    fetch_from(dataset, tmp_path / "out", "debian")
    dataset.verify(tmp_path / "out")
    assert len(log.read_text().splitlines()) == 1


def test_stale_package_lists_are_renewed_in_a_private_folder(packaged, apt, tmp_path):
    """Without root nobody may renew the system's; one repository that is down is no obstacle."""
    log = apt("Dir::State=")
    dataset = describe(packaged)
    fetch_from(dataset, tmp_path / "out", "debian")
    dataset.verify(tmp_path / "out")
    calls = log.read_text().splitlines()
    assert [call.split()[-1] for call in calls] == ["made-up", "update", "made-up"]
    assert all(f"Dir::State={tmp_path}" in call for call in calls[1:])
    assert all(f"Dir::Cache={tmp_path}" in call for call in calls[1:])


def test_an_unknown_package_is_told_in_apts_own_words(packaged, apt, tmp_path):
    apt("never")
    assert failure(describe(packaged), tmp_path / "out", "debian") == [
        "debian: made-up is not installed; apt-get: Unable to locate package made-up"
    ]


def test_an_apt_that_never_ends_is_given_up(packaged, apt, tmp_path, monkeypatch):
    apt("never", before="exec sleep 30")
    monkeypatch.setattr(sources, "APT_SECONDS", 0.2)
    [reason] = failure(describe(packaged), tmp_path / "out", "debian")
    assert reason.endswith("apt-get took more than 0.2 s")


def test_a_machine_without_apt_is_told(dataset, packaged, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert failure(describe(packaged), tmp_path / "a", "debian") == [
        "debian: made-up is not installed; no apt-get and dpkg-deb to download it with"
    ]
    assert failure(dataset, tmp_path / "b", "debian") == [
        "debian: the description names no Debian package"
    ]


# The program


def test_two_processes_at_once_download_once(packaged, apt, tmp_path):
    """Two studies that share a folder start together; the second waits and finds the files."""
    go = tmp_path / "go"
    log = apt("Acquire", before=f"until [ -e {go} ]; do sleep 0.05; done")
    out = tmp_path / "out"
    command = [sys.executable, PROGRAM, "--dataset", packaged, "--source", "debian"]
    screens = [tmp_path / "first.txt", tmp_path / "second.txt"]
    processes = []
    for screen in screens:
        with screen.open("w") as stderr:
            processes.append(subprocess.Popen([*command, "--output", out], stderr=stderr))
    deadline = time.monotonic() + 30
    while not any("waiting" in screen.read_text() for screen in screens):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    go.touch()
    assert [process.wait(timeout=30) for process in processes] == [0, 0]
    assert len(log.read_text().splitlines()) == 1
    ends = sorted(screen.read_text().splitlines()[-1] for screen in screens)
    assert ends == [
        f"MnistLike: already in {out}, verified",
        f"MnistLike: served by debian, verified, now in {out}",
    ]


def test_no_source_is_one_short_message_without_a_traceback(served, tmp_path):
    done = program(
        *("--dataset", served / "mnistlike.yaml", "--output", tmp_path / "out"),
        *("--source", "data/raw", "--source", "torchvision", "--source", "debian"),
        cwd=tmp_path,
    )
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert len(lines) <= 10
    assert "Traceback" not in done.stderr
    assert lines[3:7] == [
        "error: no source has the data set MnistLike:",
        "  data/raw: no such folder",
        "  torchvision: the description names no torchvision class",
        "  debian: the description names no Debian package",
    ]
    assert lines[7].startswith("Put train-images-idx3-ubyte, ")


def test_many_sources_still_fit_on_the_screen(dataset, tmp_path):
    reasons = failure(dataset, tmp_path / "out", *[f"absent-{n}" for n in range(20)])
    assert len(reasons) == 8
    assert reasons[-1] == "and 13 more sources"


def test_a_disk_without_room_is_told_with_the_file(served, tmp_path):
    """A limit on the size of files stands in for a full disk."""
    done = program(
        *("--dataset", served / "mnistlike.yaml", "--source", served),
        *("--output", tmp_path / "out"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/out/.incoming/{IMAGES}: File too large\n"
    assert not (tmp_path / "out" / ".incoming").exists()


def test_an_output_folder_that_cannot_be_made_is_told(served, tmp_path):
    """A file in the way stands in for a folder that may not be written, which root always may."""
    (tmp_path / "file").touch()
    done = program(
        *("--dataset", served / "mnistlike.yaml", "--source", served),
        *("--output", tmp_path / "file" / "out"),
    )
    assert done.returncode == 1
    assert done.stderr == f"error: {tmp_path}/file/out: Not a directory\n"
