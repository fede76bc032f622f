"""A study that demands a GPU is refused at once where it would train without one."""

HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1"}

MESSAGE = "device: cuda is asked for, and there is none on"


def test_training_that_demands_a_gpu_is_refused_before_the_first_job(study):
    study.configure(device="cuda")
    done = study.run(**HIDDEN)
    assert done.returncode == 1
    assert MESSAGE in done.output
    assert "`device: auto`" in done.output
    assert not study.results.exists()
    # What would be done can be seen all the same.
    assert study.run("-n", **HIDDEN).returncode == 0


def test_a_cluster_may_have_the_gpu_that_this_machine_lacks(study):
    """The data are fetched here, and training is left to a SLURM, which is not there."""
    study.configure(device="cuda")
    done = study.run("metrics", "--executor", "slurm", "--jobs", "1", "--retries", "0", **HIDDEN)
    assert MESSAGE not in done.output
    assert list(study.results.glob("data/*/checksums.sha256"))


def test_what_was_trained_elsewhere_is_reported_without_a_gpu(study):
    study.ok("metrics")
    before = study.trained()
    study.configure(device="cuda")
    done = study.run("metrics", **HIDDEN)
    assert done.returncode == 0, done.output
    assert study.trained() == before
