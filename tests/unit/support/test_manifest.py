"""Files altered since they were made are found; untouched and rewritten ones are let be."""

import os

from study.support.manifest import Manifest


def test_altered_files_are_found_and_touched_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a", "b", "c", "gone", "never"]
    for name in names[:4]:
        (tmp_path / name).write_text(f"content of {name}")
    path = tmp_path / "manifest.json"
    Manifest(path).write(names)
    assert list(Manifest(path).altered(names)) == []

    os.utime("a", (1, 1))
    (tmp_path / "b").write_text("another")
    (tmp_path / "c").write_text("content of d")
    (tmp_path / "gone").unlink()
    (tmp_path / "never").write_text("not noted")
    assert list(Manifest(path).altered(names)) == ["b", "c"]


def test_what_was_altered_and_not_made_anew_stays_so(tmp_path, monkeypatch):
    """A call for another target must not take the damage for the file's right content."""
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).write_text("content")
    path = tmp_path / "manifest.json"
    Manifest(path).write(["a", "b"])
    for name in ("a", "b"):
        (tmp_path / name).write_text("damaged")
    call = Manifest(path)
    assert list(call.altered(["a", "b"])) == ["a", "b"]
    (tmp_path / "b").write_text("made anew")
    call.write(["a", "b"])
    assert list(Manifest(path).altered(["a", "b"])) == ["a"]


def test_a_manifest_that_is_not_there_or_damaged_accuses_nobody(tmp_path):
    path = tmp_path / "manifest.json"
    (tmp_path / "a").write_text("content")
    assert list(Manifest(path).altered([str(tmp_path / "a")])) == []
    path.write_text("{")
    assert list(Manifest(path).altered([str(tmp_path / "a")])) == []
