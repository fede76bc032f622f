"""Files altered since they were made are found; untouched and rewritten ones are let be."""

import os

from study import manifest


def test_altered_files_are_found_and_touched_ones_are_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = ["a", "b", "c", "gone", "never"]
    for name in names[:4]:
        (tmp_path / name).write_text(f"content of {name}")
    path = tmp_path / "manifest.json"
    manifest.write(path, names)
    assert list(manifest.altered(path, names)) == []

    os.utime("a", (1, 1))
    (tmp_path / "b").write_text("another")
    (tmp_path / "c").write_text("content of d")
    (tmp_path / "gone").unlink()
    (tmp_path / "never").write_text("not noted")
    assert list(manifest.altered(path, names)) == ["b", "c"]

    manifest.write(path, names)
    assert list(manifest.altered(path, names)) == []


def test_a_manifest_that_is_not_there_or_damaged_accuses_nobody(tmp_path):
    path = tmp_path / "manifest.json"
    (tmp_path / "a").write_text("content")
    assert list(manifest.altered(path, [str(tmp_path / "a")])) == []
    path.write_text("{")
    assert list(manifest.altered(path, [str(tmp_path / "a")])) == []
