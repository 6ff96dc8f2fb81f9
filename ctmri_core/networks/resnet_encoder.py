"""ResNet-34 without its classifier (He et al. 2016, table 1): the encoder of segmentation-style networks."""

from __future__ import annotations

from torch import Tensor, nn

CHANNELS = (64, 64, 128, 256, 512)
"""Of the features at strides 2, 4, 8, 16 and 32."""
_BLOCKS = (3, 4, 6, 3)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which is projected where size or width changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample: nn.Module | None = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        hidden = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        result: Tensor = self.relu(hidden + shortcut)
        return result


class ResnetEncoder(nn.Module):
    """(n, in_channels, h, w) -> features at strides 2 to 32; state-dict keys are those of public ResNet-34 weights."""

    def __init__(self, in_channels: int = 3, width: int = 64) -> None:
        super().__init__()
        self.channels = tuple(channels * width // 64 for channels in CHANNELS)
        self.conv1 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        befores, afters = (width, *self.channels[1:-1]), self.channels[1:]
        for number, (before, after, count) in enumerate(zip(befores, afters, _BLOCKS, strict=True), 1):
            first = BasicBlock(before, after, 1 if number == 1 else 2)
            self.add_module(f"layer{number}", nn.Sequential(first, *(BasicBlock(after, after, 1) for _ in range(count - 1))))

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.relu(self.bn1(self.conv1(x)))
        features = [x]
        x = self.maxpool(x)
        for number in range(1, 5):
            x = self.get_submodule(f"layer{number}")(x)
            features.append(x)
        return features
