"""Validation on held-out training images, and a final model that results choose."""

import gzip
import hashlib
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from ruamel.yaml import YAML

from mnistlike import idx_bytes
from small_study import STUDY, Study

HONEST = {
    "data": STUDY["data"] | {"validation": {"from": "train", "size": 100}},
    "experiments": {
        "dropout": {"vary": {"dropout": [0.0, 0.2]}},
        "length": {"vary": {"epochs": [1, 3]}},
        "rate": {"vary": {"learning_rate": [0.02, 0.1]}},
    },
    "final": "best",
}


def replace_test_images_by_noise(study: Study) -> None:
    """As another data set with the same training images, described in the same file."""
    description = study.folder / "data" / "mnistlike.yaml"
    described = YAML().load(description)
    file = described["MnistLike"]["files"]["test_images"]
    noise = idx_bytes(np.random.default_rng(1).integers(0, 256, (200, 8, 8)))
    (study.folder / "data" / f"{file['name']}.gz").write_bytes(gzip.compress(noise))
    file["sha256"] = hashlib.sha256(noise).hexdigest()
    YAML().dump(described, description)


def chosen(study: Study) -> dict:
    return json.loads((study.results / "choice.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def honest(tmp_path_factory) -> Study:
    made = Study(tmp_path_factory.mktemp("honest"))
    made.configure(**HONEST)
    assert "choose_final" in made.ok().jobs
    return made


def test_one_call_trains_chooses_and_trains_the_choice_and_a_second_has_nothing_to_do(
    honest, tmp_path
):
    study = honest.copy(tmp_path / "copy")
    plan = json.loads((study.results / "plan.json").read_text(encoding="utf-8"))
    assert plan["final"]["settings"] == plan["baseline"] | chosen(study)["settings"]
    assert (study.results / "runs" / plan["final"]["run"] / "record.parquet").is_file()
    summary = pq.read_table(study.results / "summary.parquet").to_pylist()
    assert summary[-1]["experiment"] == "final"
    assert "Nothing to be done" in study.ok().output

    # A value that is better than all others: it is trained, and so is the model that has it now.
    before = study.trained()
    rates = {"rate": {"vary": {"learning_rate": [0.02, 0.1, 0.3]}}}
    study.configure(**HONEST | {"experiments": HONEST["experiments"] | rates})
    study.ok()
    assert chosen(study)["settings"]["learning_rate"] == 0.3
    trained = {run for run, *_ in study.trained()} - {run for run, *_ in before}
    plan = json.loads((study.results / "plan.json").read_text(encoding="utf-8"))
    assert plan["final"]["run"] in trained
    assert len(trained) == 2
    assert "Nothing to be done" in study.ok().output

    # The best value taken out again: the model is chosen anew, which was trained before. No note of
    # Snakemake's is needed to see that the last choice is another study's.
    before = study.trained()
    study.configure(**HONEST)
    shutil.rmtree(study.folder / ".snakemake")
    study.ok()
    assert chosen(study) == chosen(honest)
    assert study.trained() == before
    assert "Nothing to be done" in study.ok().output


def test_noise_in_place_of_the_test_images_changes_no_choice(honest, tmp_path):
    """Nothing but the final accuracy may depend on them."""
    other = Study(tmp_path / "noise")
    replace_test_images_by_noise(other)
    other.configure(**HONEST)
    other.ok("metrics", "model")
    assert chosen(honest) == chosen(other)
    assert honest.content() == other.content()
    accuracies = [
        pq.read_table(each.results / "summary.parquet").drop_columns("run").to_pylist()
        for each in (honest, other)
    ]
    assert accuracies[0] == accuracies[1]
    evaluations = [(each.results / "final.safetensors").read_bytes() for each in (honest, other)]
    assert evaluations[0] != evaluations[1]
