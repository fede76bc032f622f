"""What the trainer asks of a network: the seam behind which every kind of model stands."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor


class Model(Protocol):
    """Replicates of one network, each in a row of `parameters`.

    Attributes:
        parameters: All that the optimizer moves, float32 (replicates, P).
        gradient: That of the replicates' losses, of the same shape; `backward` fills it.
        outputs: Numbers that the network gives for an example.
    """

    parameters: Tensor
    gradient: Tensor
    outputs: int

    @property
    def buffers(self) -> Mapping[str, Tensor]:
        """What training moves beside them, such as BatchNorm's statistics.

        Rows (replicates, B) by name, which may be none.
        """

    def streams(self, seeds: Sequence[int], epoch: int) -> Sequence[Any]:
        """Each replicate's random numbers for one epoch, which follow from seed and epoch alone."""

    def forward(self, inputs: Tensor, streams: Sequence[Any] | None = None) -> Tensor:
        """Outputs (replicates, n, outputs) for `inputs` (replicates, n, features), as stored.

        `inputs` may be one batch for all, (1, n, features). Given `streams`, the network is
        training: dropout is on, and `backward` may follow. The result may be overwritten by the
        next call.
        """

    def backward(self, delta: Tensor) -> None:
        """Fill `gradient`, given the loss's gradient at the outputs just forwarded, `delta`."""
