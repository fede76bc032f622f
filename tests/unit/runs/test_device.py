"""The device is the best one there, or the one asked for, or one clear message."""

import pytest
import torch

from study.runs import device
from study.support.errors import StudyError


@pytest.fixture
def there(monkeypatch):
    """Pretend that these devices are there."""

    def pretend(cuda=False, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")

    return pretend


@pytest.mark.parametrize(
    ("cuda", "mps", "best"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_auto_takes_the_best_device_there_is(there, cuda, mps, best):
    there(cuda, mps)
    assert device.choose("auto") == best


@pytest.mark.parametrize("wanted", ["cpu", "cuda", "mps"])
def test_a_device_that_is_there_is_taken_as_asked(there, wanted):
    there(cuda=True, mps=True)
    assert device.choose(wanted) == wanted


@pytest.mark.parametrize("wanted", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_told_with_the_key_and_a_remedy(there, wanted):
    there()
    with pytest.raises(StudyError, match=f"device: {wanted} is asked for.*`device: auto`"):
        device.choose(wanted)


def test_the_kind_tells_what_exactness_holds_for(there):
    there(cuda=True)
    assert device.kind("cuda") == "cuda Some GPU"
    assert device.kind("mps") == "mps"
    assert device.kind("cpu").startswith("cpu ")
    assert torch.backends.cpu.get_cpu_capability() in device.kind("cpu")
