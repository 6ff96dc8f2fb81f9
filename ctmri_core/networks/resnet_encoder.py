"""ResNet-34 and ResNet-50 without their classifier (He et al. 2016, table 1): the encoders of segmentation-style networks."""

from __future__ import annotations

from torch import Tensor, nn

CHANNELS = (64, 64, 128, 256, 512)
"""Of ResNet-34's features at strides 2, 4, 8, 16 and 32."""
_BLOCKS = (3, 4, 6, 3)
_DEEP = 4
"""ResNet-50's blocks give so many times the channels that they work with."""


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which is projected where size or width changes.

    `dilation`: of what comes in, and of what goes on behind the place where a stride was left out.
    """

    def __init__(self, before: int, after: int, stride: int, dilation: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        first, second = dilation
        self.conv1 = nn.Conv2d(before, after, 3, stride, first, first, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, 1, second, second, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        hidden = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        result: Tensor = self.relu(hidden + shortcut)
        return result


class Bottleneck(nn.Module):
    """A 3 x 3 convolution of a quarter of the channels between two of 1 x 1, beside such a shortcut."""

    def __init__(self, before: int, after: int, stride: int, dilation: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        narrow, first = after // _DEEP, dilation[0]
        self.conv1 = nn.Conv2d(before, narrow, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(narrow)
        self.conv2 = nn.Conv2d(narrow, narrow, 3, stride, first, first, bias=False)
        self.bn2 = nn.BatchNorm2d(narrow)
        self.conv3 = nn.Conv2d(narrow, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(before, after, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        hidden = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        result: Tensor = self.relu(self.bn3(self.conv3(hidden)) + shortcut)
        return result


class ResnetEncoder(nn.Module):
    """(n, in_channels, h, w) -> features at strides 2 to 32; state-dict keys are those of public weights.

    `deep`: ResNet-50 in place of ResNet-34. `output_stride`: 8 or 16 let the last layers keep that size and look as far by
    dilation (Chen et al. 2018, section 3.1).
    """

    def __init__(self, in_channels: int = 3, width: int = 64, *, deep: bool = False, output_stride: int = 32) -> None:
        super().__init__()
        block = Bottleneck if deep else BasicBlock
        times = _DEEP if deep else 1
        self.channels = (width, *(channels * width * times // 64 for channels in CHANNELS[1:]))
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        befores, afters = (width, *self.channels[1:-1]), self.channels[1:]
        stride, dilation = 4, 1
        for number, (before, after, count) in enumerate(zip(befores, afters, _BLOCKS, strict=True), 1):
            halves = number > 1 and stride < output_stride
            before_it = dilation
            if number > 1:
                stride, dilation = (2 * stride, dilation) if halves else (stride, 2 * dilation)
            first = block(before, after, 2 if halves else 1, (before_it, dilation))
            others = (block(after, after, 1, (dilation, dilation)) for _ in range(count - 1))
            self.add_module(f"layer{number}", nn.Sequential(first, *others))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.relu(self.bn1(self.conv1(x)))
        features = [x]
        x = self.maxpool(x)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            features.append(x)
        return features


def _shortcut(before: int, after: int, stride: int) -> nn.Module | None:
    if stride == 1 and before == after:
        return None
    return nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))
