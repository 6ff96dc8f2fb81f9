"""The plain U-Net of a well-known student project on SynthRAD2023 brains (facts: its published notebook)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class PlainUnet(nn.Module):
    """(n, 1, h, w) -> (n, 1, h, w) in [-1, 1]; h, w multiples of 32. Five levels of batch-normed 4 x 4 convolutions with
    LeakyReLU 0.14 and dropout on the way down, skips by concatenation. State-dict keys are those of its checkpoints.
    """

    multiple = 32

    def __init__(self, width: int = 64, slope: float = 0.14, dropout: float = 0.05) -> None:
        super().__init__()
        widths = [1, *(width * 2**level for level in range(5))]
        down = [_shrink(before, after, slope, dropout) for before, after in pairwise(widths)]
        self.enc1, self.enc2, self.enc3, self.enc4, self.bottleneck = down
        self.dec4 = _enlarge(widths[5], widths[4])
        self.dec3 = _enlarge(2 * widths[4], widths[3])
        self.dec2 = _enlarge(2 * widths[3], widths[2])
        self.dec1 = _enlarge(2 * widths[2], widths[1])
        self.final_upsample = nn.Sequential(nn.ConvTranspose2d(2 * widths[1], 1, 4, stride=2, padding=1), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        one = self.enc1(x)
        two = self.enc2(one)
        three = self.enc3(two)
        four = self.enc4(three)
        up = torch.cat([self.dec4(self.bottleneck(four)), four], 1)
        up = torch.cat([self.dec3(up), three], 1)
        up = torch.cat([self.dec2(up), two], 1)
        up = torch.cat([self.dec1(up), one], 1)
        result: Tensor = self.final_upsample(up)
        return result


def _shrink(before: int, after: int, slope: float, dropout: float) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 4, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.LeakyReLU(slope), nn.Dropout(dropout))


def _enlarge(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())
