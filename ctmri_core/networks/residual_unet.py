"""A U-Net of residual blocks that works on half the resolution: much capacity for few multiplications, for processors.

U-Net (Ronneberger et al. 2015) with basic residual blocks (He et al. 2016). Each 2 x 2 square of pixels becomes four channels on
the way in and comes back out of channels (Shi et al. 2016, Eq. 4): nothing of the input is lost, and the costly layers see a
quarter of the pixels.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.networks.resnet_encoder import BasicBlock

_MOST_TIMES_WIDER = 4
_FINE = 8
"""Channels at full resolution, beside the input itself."""


class ResidualUnet(nn.Module):
    """(n, in_channels, h, w) -> (n, 1, h, w); h, w multiples of 32. In [-1, 1] in use; while it learns, what is beyond is left
    there, since a value that is cut off has no gradient.

    Five resolutions of `width`, twice and (the lower three) four times `width` channels; `blocks` residual blocks at each on the
    way down, one on the way up; skips by concatenation. `mirrored`: in use, the mean of what is made of a slice and of its mirror
    image.
    """

    multiple = 32
    levels = 5

    def __init__(self, in_channels: int = 1, width: int = 32, blocks: int = 2, *, mirrored: bool = False) -> None:
        super().__init__()
        self.mirrored = mirrored
        widths = [width * min(2**level, _MOST_TIMES_WIDER) for level in range(self.levels)]
        self.stem = nn.Sequential(
            nn.Conv2d(4 * in_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        )
        befores = [width, *widths[:-1]]
        self.down = nn.ModuleList(
            nn.Sequential(
                BasicBlock(before, after, 2 if level else 1),
                *(BasicBlock(after, after, 1) for _ in range(blocks - 1)),
            )
            for level, (before, after) in enumerate(zip(befores, widths, strict=True))
        )
        self.narrow = nn.ModuleList(nn.Conv2d(low, high, 1, bias=False) for high, low in pairwise(widths))
        self.up = nn.ModuleList(BasicBlock(2 * high, high, 1) for high in widths[:-1])
        self.fine = nn.Conv2d(width, 4 * _FINE, 3, padding=1)
        self.mix = nn.Conv2d(_FINE + in_channels, 2 * _FINE, 3, padding=1)
        self.out = nn.Conv2d(2 * _FINE, 1, 3, padding=1)
        for block in self.modules():
            if isinstance(block, BasicBlock):
                nn.init.zeros_(block.bn2.weight)  # blocks begin as their shortcuts (Goyal et al. 2017, section 5.1)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return self._translated(x)
        result = self._translated(x)
        if self.mirrored:
            result = (result + self._translated(x.flip(-1)).flip(-1)) / 2
        return result.clamp(-1, 1)

    def _translated(self, x: Tensor) -> Tensor:
        hidden, skips = self.stem(functional.pixel_unshuffle(x, 2)), []
        for down in self.down:
            hidden = down(hidden)
            skips.append(hidden)
        skips.pop()
        for level in reversed(range(self.levels - 1)):
            hidden = functional.interpolate(self.narrow[level](hidden), scale_factor=2.0, mode="nearest")
            hidden = self.up[level](torch.cat([hidden, skips[level]], 1))
        fine = torch.cat([functional.pixel_shuffle(self.fine(hidden), 2).relu(), x.to(hidden.dtype)], 1)
        result: Tensor = self.out(self.mix(fine).relu())
        return result
