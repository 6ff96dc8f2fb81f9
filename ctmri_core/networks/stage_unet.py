"""The U-Net of a student project on unpaired CT and MR pictures (facts: its published notebook)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class StageUnet(nn.Module):
    """(n, in_channels, h, w) -> (n, out_channels, h, w) in [-1, 1]; h, w multiples of 32. Four halvings with instance norm and
    LeakyReLU 0.2, a fifth without norm, and back with skips by concatenation. State-dict keys are those of its checkpoints.
    """

    multiple = 32

    def __init__(self, in_channels: int = 3, out_channels: int = 3, width: int = 64) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(4)]
        self.downs = nn.ModuleList(_shrink(before, after) for before, after in pairwise([in_channels, *widths]))
        self.bottleneck = nn.Sequential(nn.Conv2d(widths[-1], 2 * widths[-1], 4, 2, 1, bias=False), nn.ReLU(True))
        befores = [2 * widths[-1], *(2 * channels for channels in widths[:0:-1])]
        self.ups = nn.ModuleList(_enlarge(before, after) for before, after in zip(befores, widths[::-1], strict=True))
        self.final = nn.Sequential(nn.ConvTranspose2d(2 * width, out_channels, 4, 2, 1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = self.bottleneck(x)
        for up in self.ups:
            x = torch.cat([up(x), skips.pop()], 1)
        result: Tensor = self.final(x)
        return result


def _shrink(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.InstanceNorm2d(after), nn.LeakyReLU(0.2, True))


def _enlarge(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.InstanceNorm2d(after), nn.ReLU(True))
