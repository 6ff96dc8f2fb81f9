"""One grey slice in and one out, around a network that has its own channels and its own range of values."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.imported.card import ImportedConfig


class Adapted(nn.Module):
    """(n, context, h, w) in [-1, 1] -> (n, 1, h, w) on the same scale; values beyond it are left to the caller.

    A network for coloured pictures is shown the slice in every channel. Its answers in the channels differ by its error alone, so
    their mean is nearer to what it means than any one is; `first` is for networks whose other channels mean something else.
    """

    def __init__(self, network: nn.Module, config: ImportedConfig) -> None:
        super().__init__()
        self.network = network
        self.multiple = config.size_multiple
        self.outputs = [f"network.{name}" for name in getattr(network, "outputs", _last_convolution(network))]
        self._copies = config.in_channels if config.channels == "copies" else 1
        self._output, self._middle = config.output, config.out_channels // 2
        self._shown = _linear((-1.0, 1.0), (config.input_low, config.input_high))
        self._meant = _linear((config.output_low, config.output_high), (-1.0, 1.0))

    def forward(self, x: Tensor) -> Tensor:
        x = _mapped(x, self._shown)
        if self._copies > 1:
            x = x.expand(-1, self._copies, -1, -1)
        answer: Tensor = self.network(x)
        if answer.shape[1] > 1:
            if self._output == "mean":
                answer = answer.mean(1, keepdim=True)
            else:
                place = 0 if self._output == "first" else self._middle
                answer = answer[:, place : place + 1]
        return _mapped(answer, self._meant)


def _last_convolution(network: nn.Module) -> list[str]:
    return [name for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)][-1:]


def _linear(before: tuple[float, float], after: tuple[float, float]) -> tuple[float, float]:
    """(factor, summand) that take one range to the other."""
    factor = (after[1] - after[0]) / (before[1] - before[0])
    return factor, after[0] - before[0] * factor


def _mapped(x: Tensor, linear: tuple[float, float]) -> Tensor:
    return x if linear == (1.0, 0.0) else x * linear[0] + linear[1]
