"""The convolutions of VGG-19 (Simonyan and Zisserman 2015, table 1, column E)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

_WIDTHS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0)
"""Channels of the 3 x 3 convolutions in order; 0 halves the picture."""


class VggFeatures(nn.Module):
    """(n, 3, h, w) -> what leaves the layers named by their places in `features`, as the public weights count them.

    `width`: channels of the first layer, 64 as published; the others are as many times wider. h, w at least 16.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for published in _WIDTHS:
            if published:
                after = published * width // 64
                layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]
                before = after
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        found = []
        for place, layer in enumerate(self.features):
            x = layer(x)
            if place in layers:
                found.append(x)
            if place == max(layers):
                break
        return found
