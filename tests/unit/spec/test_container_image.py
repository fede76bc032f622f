"""What the image of `container` may be called: it is put on a shell's command line as it is."""

import pytest

from small_study import STUDY
from study.spec.config import validated
from study.support.errors import StudyError


@pytest.mark.parametrize(
    "image",
    [
        "docker://ghcr.io/someone/study:1.0",
        "docker://registry:5000/a/b@sha256:0f1e",
        "oras://ghcr.io/a/b:v1.2-rc1+cuda",
        "containers/study.sif",
        "/shared/images/study_1.0.sif",
        "~/study.sif",
        "../study.sif",
    ],
)
def test_addresses_and_paths_are_taken(image):
    assert validated(STUDY | {"container": image}, "study.yaml")["container"] == image


@pytest.mark.parametrize(
    "image",
    [
        "study.sif; touch x",
        "$(touch x)",
        "`touch x`",
        "a b.sif",
        "a'b.sif",
        'a"b.sif',
        "a|b",
        "a&b",
        "a>b",
        "a\nb",
        "a\n",
        "--bind=/",
        "-v",
        "{wildcards.run}.sif",
        "a*.sif",
        "a\\b",
        "",
    ],
)
def test_what_a_shell_would_read_otherwise_is_refused(image):
    with pytest.raises(StudyError, match=r"study\.yaml: container: .*(cannot name an image|empty)"):
        validated(STUDY | {"container": image}, "study.yaml")
