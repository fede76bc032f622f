"""A lock of Snakemake's: whose it is, and that status and unlock say the same of it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from study.commands import unlock


@pytest.mark.parametrize("is_locked", [False, True])
@pytest.mark.parametrize(
    ("places", "is_at_work"),
    [
        pytest.param([], {False: False, True: False}, id="none"),
        pytest.param(["elsewhere"], {False: False, True: False}, id="elsewhere"),
        pytest.param(["here"], {False: True, True: True}, id="here"),
        pytest.param([None], {False: False, True: True}, id="hidden"),
    ],
)
def test_who_is_at_work_keeps_its_lock(
    tmp_path, monkeypatch, capsys, is_locked, places, is_at_work
):
    here = tmp_path / "here"
    lock = here / unlock.LOCKS / "0.output.lock"
    lock.parent.mkdir(parents=True)
    if is_locked:
        lock.touch()
    found = {pid: place and str(tmp_path / place) for pid, place in enumerate(places)}
    monkeypatch.setattr(unlock, "snakemakes", lambda: found)
    assert unlock.is_at_work(here) == is_at_work[is_locked]
    unlock.run(SimpleNamespace(folder=Path(here)))
    assert lock.exists() == (is_locked and is_at_work[is_locked])
    assert ("unlocking" in capsys.readouterr().out) == (is_locked and not is_at_work[is_locked])
