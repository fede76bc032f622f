"""Reads that fail now and then, as of a busy disk of the network: tried again, then told."""

import errno
import io
import json
import os
from pathlib import Path

import pytest

from study.runs import completeness
from study.spec import choice, schemas
from study.support import files, receipts
from study.support.errors import StudyError

READS = {
    "receipt.json": receipts.read_receipt,
    "choice.json": choice.read_choice,
    "settings.json": lambda path: completeness.read_settings(path.parent),
    "claims.schema.yaml": lambda path: schemas.schema.__wrapped__("claims"),
}

CONTENT = {
    "receipt.json": '{"plan": "p", "inputs": {}, "outputs": {}}',
    "choice.json": '{"settings": {}, "reasons": [], "experiments": "e"}',
    "claims.schema.yaml": "type: object",
}


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """Has so many openings of the file fail, as a list of errors that are left."""
    left: list[OSError] = []
    opened = io.open

    def fails(path, *words, **more):
        if left and Path(os.fspath(path)).parent == tmp_path:
            raise left.pop()
        return opened(path, *words, **more)

    monkeypatch.setattr(io, "open", fails)
    monkeypatch.setattr(files, "PAUSES", (0, 0))
    monkeypatch.setattr(schemas, "SCHEMAS", tmp_path)
    return left


@pytest.fixture(params=READS)
def path(request, tmp_path):
    made = tmp_path / request.param
    text = CONTENT.get(request.param)
    made.write_text(text or json.dumps(completeness.sealed({"request": {}})))
    return made


def test_a_read_that_fails_twice_is_tried_again(path, failing):
    failing += [OSError(errno.EIO, "Input/output error")] * 2
    assert READS[path.name](path) is not None
    assert not failing


def test_one_that_fails_each_time_is_told_and_not_taken_for_an_absent_file(path, failing):
    failing += [OSError(errno.EIO, "Input/output error")] * 3
    with pytest.raises(StudyError, match=f"{path.name}: cannot be read, tried 3 times"):
        READS[path.name](path)
