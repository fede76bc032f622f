"""What of a study and its data cannot go together is told before any training, once."""

from small_study import STUDY


def test_more_held_out_than_there_are_is_told_once_and_by_status(study):
    data = STUDY["data"] | {"validation": {"from": "train", "size": 600}}
    study.configure(data=data)
    result = study.run()
    assert result.returncode != 0
    told = "data.validation.size: 600 of 600 training images leave none to train on"
    assert told in result.output
    assert "Trying to restart" not in result.output
    assert study.trained() == []
    # The files were right, and are there: now it is told before the first job.
    study.configure(data=STUDY["data"])
    assert study.run("data").returncode == 0
    study.configure(data=data)
    result = study.run("--dry-run")
    assert result.returncode != 0
    assert told in result.output


def test_a_class_without_a_name_in_a_language_is_told_before_the_first_job(study):
    study.configure(
        data=STUDY["data"] | {"dataset": str(described_in_english(study))},
        report={"languages": ["en", "es"]},
    )
    result = study.run("--dry-run")
    assert result.returncode != 0
    assert "MnistLike.classes has no names for language 'es'" in result.output


def described_in_english(study):
    text = (study.folder / "data" / "mnistlike.yaml").read_text()
    path = study.folder / "english.yaml"
    names = text.index("  classes:")
    listed = text[names:].replace("  classes:", "  classes:\n    en:", 1).replace("  - ", "    - ")
    path.write_text(text[:names] + listed)
    return path
