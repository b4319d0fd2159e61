"""The mean of the parameters at the last k checkpoints that were due: often a little better than the last.

    steps 10, a checkpoint due every 3, k = 3       due 3 6 9 10     averaged     6 9 10

Only their sum is kept, in each checkpoint from the first of them on, so that neither rotation nor a
checkpoint between two due ones (after a signal) changes what is averaged.

Source: Vaswani et al., arXiv:1706.03762, section 6.1, average the last 5 or 20 checkpoints.
"""

from collections.abc import Mapping

from torch import Tensor, nn

from secondwind.training.settings import TrainSettings, is_due


def averaged_steps(settings: TrainSettings) -> list[int]:
    """List the steps whose parameters are averaged: the last ones at which a checkpoint is due."""
    due = [step for step in range(1, settings.steps + 1) if is_due(settings, step)]
    return due[-settings.average_last :] if settings.average_last else []


class ParameterAverage:
    """The sum over the averaged steps so far."""

    def __init__(self, network: nn.Module, settings: TrainSettings) -> None:
        """Start at nothing; `network` is what is summed and, at the end, what gets the mean."""
        self._network, self._steps = network, averaged_steps(settings)
        self._sums: dict[str, Tensor] = {}

    def add(self, step: int) -> None:
        """Add the parameters after this step, if it counts."""
        if step not in self._steps:
            return
        for name, parameter in self._training():
            if name in self._sums:
                self._sums[name] += parameter
            else:
                self._sums[name] = parameter.clone()

    def tensors(self) -> dict[str, Tensor]:
        """Return the sums under the names of the parameters; empty before the first averaged step."""
        return self._sums

    def restore(self, sums: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        own = dict(self._training())
        self._sums = {name: total.to(own[name].device, copy=True) for name, total in sums.items()}

    def apply(self) -> None:
        """Give the network the mean, if anything was summed; call it behind the last step."""
        for name, parameter in self._training():
            if name in self._sums:
                parameter.copy_(self._sums[name] / len(self._steps))

    def _training(self) -> list[tuple[str, Tensor]]:
        parameters = self._network.named_parameters()
        return [(name, parameter.detach()) for name, parameter in parameters if parameter.requires_grad]
