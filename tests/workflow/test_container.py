"""Jobs run in a container where the config names one and Snakemake is told to use it."""

# Stands in for the program of that name: takes the command apart and runs what is in it.
APPTAINER = """#!/bin/bash
[ "$1" = --version ] && { echo "apptainer version 1.3.4"; exit; }
while [ "$1" != exec ]; do shift; done
while [ "${1##*.}" != sif ]; do shift; done
echo "$1" >> "$IMAGES"
shift
exec "$@"
"""


def test_a_job_is_handed_the_image_and_finds_its_program(study, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "apptainer"
    program.parent.mkdir()
    program.write_text(APPTAINER)
    program.chmod(0o755)
    image, handed = tmp_path / "study.sif", tmp_path / "images"
    image.touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("IMAGES", str(handed))
    study.configure(container=str(image))
    study.ok("plan")
    assert not handed.exists()
    study.ok("data", "--software-deployment-method", "apptainer")
    assert handed.read_text().split() == [str(image)]
    assert list(study.results.glob("data/*/checksums.sha256"))
