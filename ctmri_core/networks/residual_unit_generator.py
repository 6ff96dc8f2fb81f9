"""The generator of a student project: CycleGAN's with one long residual unit for its blocks (facts: its published notebook)."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn


class ResidualUnitGenerator(nn.Module):
    """(n, in_channels, h, w) -> (n, out_channels, h, w) in [-1, 1]; h, w multiples of 4. One residual unit of `units` zero-padded
    convolutions, each normed and activated, the last as well. State-dict keys are those of its checkpoints.
    """

    multiple = 4

    def __init__(self, in_channels: int = 1, out_channels: int = 1, width: int = 64, units: int = 6) -> None:
        super().__init__()
        self.initial = _normed(nn.Conv2d(in_channels, width, 7, padding=3, padding_mode="reflect"), width)
        self.down1 = _normed(nn.Conv2d(width, 2 * width, 3, 2, 1), 2 * width)
        self.down2 = _normed(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), 4 * width)
        self.res_blocks = nn.Sequential(_ResidualUnit(4 * width, units))
        self.up1 = _normed(nn.ConvTranspose2d(4 * width, 2 * width, 3, 2, 1, output_padding=1), 2 * width)
        self.up2 = _normed(nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1), width)
        self.output = nn.Sequential(nn.Conv2d(width, out_channels, 7, padding=3, padding_mode="reflect"), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.output(self.up2(self.up1(self.res_blocks(self.down2(self.down1(self.initial(x)))))))
        return result


class _ResidualUnit(nn.Module):
    """`x + f(x)`."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(OrderedDict((f"unit{number}", _unit(channels)) for number in range(units)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv(x)
        return result


def _unit(channels: int) -> nn.Sequential:
    convolution = nn.Conv2d(channels, channels, 3, padding=1)
    return nn.Sequential(OrderedDict(conv=convolution, norm=nn.InstanceNorm2d(channels), activation=nn.ReLU(True)))


def _normed(convolution: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(convolution, nn.InstanceNorm2d(channels), nn.ReLU(True))
