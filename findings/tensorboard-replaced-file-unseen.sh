#!/bin/sh
# TensorBoard 2.21.0: a folder of event files that is written anew while TensorBoard runs is shown as
# it was, for as long as TensorBoard runs, where the file keeps its name; its Python reader
# (load_fast=false) waits for the old file even where the new one has another name.
#
# Both readers know a file by its path and go on from the byte where they stood.
#
# Output seen (tensorboard 2.21.0), of the values 1, 1 that become 2, 2:
#   same name: data server 1 1, Python reader 1 1
#   later name: data server 2 2, Python reader 1 1
#   later name, the old file kept and empty: data server 2 2, Python reader 2 2
#
# What to do: a later name for each export, begun by SessionLog.START, and the old name kept, empty.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    tensorboard==2.21.0 setuptools==80.9.0
cd "$folder"
venv/bin/python - <<'PYTHON'
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

FOLDER = Path("logs/run")


def write(name, value, kept=()):
    """A folder in place of the last one, with one file of two steps of one value."""
    new = Path("new")
    new.mkdir()
    for old in kept:
        (new / old).touch()
    with (new / name).open("wb") as file:
        writer = RecordWriter(file)
        events = [
            Event(file_version="brain.Event:2"),
            Event(session_log=SessionLog(status=SessionLog.START)),
        ]
        for step in (1, 2):
            told = Summary(value=[Summary.Value(tag="loss", simple_value=value)])
            events.append(Event(step=step, wall_time=step, summary=told))
        for event in events:
            writer.write(event.SerializeToString())
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.parent.mkdir(exist_ok=True)
    new.rename(FOLDER)


def values(port):
    address = f"http://localhost:{port}/data/plugin/scalars/scalars?run=run&tag=loss"
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return " ".join(f"{value:.0f}" for _, _, value in json.load(answer))
        except OSError:
            time.sleep(0.5)
    sys.exit("TensorBoard does not answer")


def shown(name, kept, fast):
    """What TensorBoard shows after a second export under `name`."""
    write("a.tfevents.1", 1)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    words = ["venv/bin/python", "-m", "tensorboard.main", "--logdir", "logs", "--port", str(port)]
    words += ["--reload_interval", "1", "--load_fast", fast]
    viewer = subprocess.Popen(words, stderr=subprocess.DEVNULL)
    try:
        assert values(port) == "1 1"
        write(name, 2, kept)
        time.sleep(8)
        return values(port)
    finally:
        viewer.terminate()
        viewer.wait()


found = []
for case, name, kept in [
    ("same name", "a.tfevents.1", []),
    ("later name", "a.tfevents.2", []),
    ("later name, the old file kept and empty", "a.tfevents.2", ["a.tfevents.1"]),
]:
    found.append((shown(name, kept, "true"), shown(name, kept, "false")))
    print(f"{case}: data server {found[-1][0]}, Python reader {found[-1][1]}")

seen = [("1 1", "1 1"), ("2 2", "1 1"), ("2 2", "2 2")]
sys.exit(None if found == seen else "it behaves otherwise now")
PYTHON
