"""A study that demands a GPU is refused at once where it would train without one."""

HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1"}

MESSAGE = "device: cuda is asked for, and there is none on"

ONE_RUN = {"seeds": 1, "experiments": {"dropout": {"vary": {"dropout": [0.2]}}}}


def test_training_that_demands_a_gpu_is_refused_before_the_first_job(study):
    study.configure(device="cuda")
    done = study.run(**HIDDEN)
    assert done.returncode == 1
    assert MESSAGE in done.output
    assert "`device: auto`" in done.output
    assert "Traceback" not in done.output
    # Nothing is made; the config and what parts would be made from are written with the graph.
    assert {path.name for path in study.results.iterdir()} == {"config.json", "plans"}
    # What would be done can be seen all the same.
    assert study.run("-n", **HIDDEN).returncode == 0


def test_a_cluster_may_have_the_gpu_that_this_machine_lacks(study, tmp_path, monkeypatch):
    """The data are fetched here, and training is handed to a SLURM, which takes nothing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sbatch", "sacct"):
        (programs / name).write_text(f"#!/bin/sh\ntouch asked-{name}\nexit 1\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    study.configure(device="cuda", **ONE_RUN)
    # With the partition named, SLURM's other programs, where they are, have no say.
    site = ["--default-resources", "slurm_partition=gpu"]
    at_once = ["--slurm-init-seconds-before-status-checks", "1"]
    words = ["--executor", "slurm", "--jobs", "1", "--retries", "0", *at_once, *site]
    done = study.run("metrics", *words, **HIDDEN)
    assert MESSAGE not in done.output
    assert (study.folder / "asked-sbatch").exists(), done.output


def test_what_was_trained_elsewhere_is_reported_without_a_gpu(study):
    study.configure(**ONE_RUN)
    study.ok("metrics")
    before = study.trained()
    study.configure(device="cuda", **ONE_RUN)
    done = study.run("metrics", **HIDDEN)
    assert done.returncode == 0, done.output
    assert study.trained() == before
