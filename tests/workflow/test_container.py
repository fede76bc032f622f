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


def test_each_job_is_handed_the_image_and_finds_its_program(study, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "apptainer"
    program.parent.mkdir()
    program.write_text(APPTAINER)
    program.chmod(0o755)
    image = tmp_path / "study.sif"
    image.touch()
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setenv("IMAGES", str(tmp_path / "images"))
    study.configure(container=str(image))
    jobs = study.ok("metrics", "--software-deployment-method", "apptainer").jobs
    handed = (tmp_path / "images").read_text().split()
    assert set(handed) == {str(image)}
    # The target itself has nothing to run.
    assert len(handed) == sum(jobs.values()) - jobs["metrics"]
    # Without the option the image is not used.
    study.configure(container=str(image), seeds=3)
    study.ok("metrics")
    assert (tmp_path / "images").read_text().split() == handed
