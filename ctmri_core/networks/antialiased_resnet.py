"""The generator of CUT: a residual generator that blurs before it halves and after it doubles (Park et al. 2020; Zhang 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.networks.resnet_generator import ResnetBlock


class BlurDown(nn.Module):
    """(n, c, h, w) -> (n, c, h / 2, w / 2), smoothed by [1, 2, 1] along both axes, reflected at the edges."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", _kernel((1, 2, 1), channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(functional.pad(x, (1, 1, 1, 1), "reflect"), self.filt, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """(n, c, h, w) -> (n, c, 2 h, 2 w), interpolated by [1, 3, 3, 1] along both axes, edges repeated."""

    filt: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("filt", 4 * _kernel((1, 3, 3, 1), channels))

    def forward(self, x: Tensor) -> Tensor:
        padded = functional.pad(x, (1, 1, 1, 1), "replicate")
        doubled = functional.conv_transpose2d(padded, self.filt, stride=2, padding=2, groups=x.shape[1])
        return doubled[:, :, 1:-1, 1:-1]


class AntialiasedResnetGenerator(nn.Module):
    """(n, in_channels, h, w) in [-1, 1] -> (n, out_channels, h, w) in [-1, 1]; h, w multiples of 4.

    State-dict keys are those of the public checkpoints.
    """

    multiple = 4

    def __init__(self, in_channels: int = 1, out_channels: int = 1, width: int = 64, blocks: int = 9) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, width, 7), *_normed(width)]
        for channels in (width, 2 * width):
            layers += [nn.Conv2d(channels, 2 * channels, 3, padding=1), *_normed(2 * channels), BlurDown(2 * channels)]
        layers += [ResnetBlock(4 * width, "instance", False) for _ in range(blocks)]
        for channels in (4 * width, 2 * width):
            layers += [BlurUp(channels), nn.Conv2d(channels, channels // 2, 3, padding=1), *_normed(channels // 2)]
        self.model = nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(width, out_channels, 7), nn.Tanh())

    def forward(self, x: Tensor, layers: Sequence[int] = ()) -> Tensor | list[Tensor]:
        """The translation; with `layers` what `features` gives."""
        if layers:
            return self.features(x, layers)
        result: Tensor = self.model(x)
        return result

    def features(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """What leaves the layers named by their places, ascending; nothing behind the last one is computed."""
        found = []
        for place, layer in enumerate(self.model):
            x = layer(x)
            if place in layers:
                found.append(x)
            if place == layers[-1]:
                break
        return found


def _kernel(weights: Sequence[int], channels: int) -> Tensor:
    row = torch.tensor(weights, dtype=torch.float32)
    square = row[:, None] * row[None, :]
    return (square / square.sum()).expand(channels, 1, -1, -1).clone()


def _normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels), nn.ReLU(True)
