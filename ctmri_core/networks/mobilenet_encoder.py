"""MobileNetV2 without its classifier (Sandler et al. 2018, table 2): the light encoder."""

from __future__ import annotations

from torch import Tensor, nn

_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""How many times as wide within, channels, blocks, stride of the first block."""
_FIRST, _LAST = 32, 1280
_LOW = 3
"""The last block at stride 4."""


class MobilenetEncoder(nn.Module):
    """(n, in_channels, h, w) -> features at stride 4 and at `output_stride` (8, 16 or 32); keys are those of public weights.

    `width`: 64 is the published size. `last`: with the convolution to 1280 channels that ends the published network.
    """

    def __init__(self, in_channels: int = 3, width: int = 64, *, output_stride: int = 32, last: bool = True) -> None:
        super().__init__()
        before = _scaled(_FIRST, width)
        layers: list[nn.Module] = [_conv(in_channels, before, 3, 2)]
        reached, dilation = 2, 1
        for times, channels, count, stride in _STAGES:
            after = _scaled(channels, width)
            for number in range(count):
                step, own = (stride, dilation) if number == 0 else (1, dilation)
                if step == 2 and reached >= output_stride:
                    step, dilation = 1, 2 * dilation  # the block itself looks as far as those before it
                reached *= step
                layers.append(InvertedResidual(before, after, times, step, own))
                before = after
        if last:
            layers.append(_conv(before, _scaled(_LAST, width), 1, 1))
            before = _scaled(_LAST, width)
        self.features = nn.Sequential(*layers)
        self.channels = (_scaled(_STAGES[1][1], width), before)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number == _LOW:
                found.append(x)
        return [*found, x]


class InvertedResidual(nn.Module):
    """Widened, filtered channel by channel, narrowed without a nonlinearity (section 3.3)."""

    def __init__(self, before: int, after: int, times: int, stride: int, dilation: int) -> None:
        super().__init__()
        hidden = before * times
        layers: list[nn.Module] = [_conv(before, hidden, 1, 1)] if times > 1 else []
        layers += [
            _conv(hidden, hidden, 3, stride, dilation, groups=hidden),
            nn.Conv2d(hidden, after, 1, bias=False),
            nn.BatchNorm2d(after),
        ]
        self.conv = nn.Sequential(*layers)
        self._adds = stride == 1 and before == after

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv(x)
        return x + result if self._adds else result


def _conv(before: int, after: int, size: int, stride: int, dilation: int = 1, *, groups: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(before, after, size, stride, dilation * (size // 2), dilation, groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), nn.ReLU6(inplace=True))


def _scaled(channels: int, width: int) -> int:
    return max(channels * width // 64, 4)
