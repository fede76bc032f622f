"""`arithmetic` reaches the training jobs, and trains nothing that is there."""

ONE_RUN = {"experiments": {"dropout": {"vary": {"dropout": [0.2]}}}}


def test_a_config_names_the_library_for_what_is_left_to_train(study):
    study.configure(seeds=1, **ONE_RUN)
    study.ok("metrics")
    before = study.trained()
    study.configure(seeds=1, arithmetic="onednn", **ONE_RUN)
    study.ok("metrics")
    assert study.trained() == before
    study.configure(seeds=2, arithmetic="onednn", **ONE_RUN)
    done = study.run("metrics", "--retries", "0")
    [log] = study.results.glob("runs/*/train.log")
    # It depends on this processor which of the two.
    said = ("error: arithmetic: onednn would", "matrix products are onednn's")[not done.returncode]
    assert said in log.read_text(encoding="utf-8")
