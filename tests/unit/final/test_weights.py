"""Described tensors: what was altered is refused, what is older than checksums is read."""

import json

import numpy as np
import pytest

from study.final import weights
from study.support.errors import StudyError
from study.support.files import save_tensors

TENSORS = {"seed_0.probabilities": np.ones((2, 3), np.float32)}
DESCRIBED = {"run": "a", "epochs": 3}


def test_what_is_written_is_read(tmp_path):
    weights.write_described(tmp_path / "file", TENSORS, DESCRIBED)
    described, found = weights.read_described(tmp_path / "file", "again")
    assert described == DESCRIBED
    assert found.keys() == TENSORS.keys()


@pytest.mark.parametrize("checksum", [None, "0" * 64])
def test_a_file_without_a_checksum_is_read_and_one_with_another_is_not(tmp_path, checksum):
    """Models that were given away before there were checksums go on working."""
    described = DESCRIBED | ({"checksum": checksum} if checksum else {})
    metadata = {weights.DESCRIPTION: json.dumps(described)}
    save_tensors(tmp_path / "file", TENSORS, metadata)
    if checksum is None:
        assert weights.read_described(tmp_path / "file", "again")[0] == DESCRIBED
    else:
        with pytest.raises(StudyError, match="is damaged"):
            weights.read_described(tmp_path / "file", "again")
