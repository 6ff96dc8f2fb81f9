"""Convolution blocks of the UNIT family: reflection padding, convolution, norm, activation (Huang et al. 2018, appendix B)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

BlockNorm = Literal["instance", "layer", "none"]
Activation = Literal["relu", "lrelu", "tanh", "none"]


class SampleLayerNorm(nn.Module):
    """Normalises each sample over (c, h, w) by its mean and unbiased deviation, then scales and shifts each channel."""

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gamma = nn.Parameter(torch.rand(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()  # sums over a whole sample lose too much in a short number format
        mean, deviation = wide.mean((1, 2, 3), keepdim=True), wide.std((1, 2, 3), keepdim=True)
        normed = (wide - mean) / (deviation + self.epsilon)
        return (normed * self.gamma[:, None, None] + self.beta[:, None, None]).to(x.dtype)


class ConvBlock(nn.Module):
    """(n, in_channels, h, w) -> (n, out_channels, h', w'); the convolution always has a bias."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, padding: int = 0,
        norm: BlockNorm = "none", activation: Activation = "relu",
    ) -> None:  # fmt: skip
        super().__init__()
        self.pad = nn.ReflectionPad2d(padding)
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride)
        norms = {"instance": nn.InstanceNorm2d, "layer": SampleLayerNorm}
        self.norm = norms[norm](out_channels) if norm != "none" else nn.Identity()
        activations = {"relu": nn.ReLU(True), "lrelu": nn.LeakyReLU(0.2, True), "tanh": nn.Tanh(), "none": nn.Identity()}
        self.activation = activations[activation]

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(self.norm(self.conv(self.pad(x))))
        return result


class ResidualBlock(nn.Module):
    """`x + f(x)` with two 3 x 3 blocks, instance norm; no activation after the addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ConvBlock(channels, channels, 3, 1, 1, "instance", "relu"),
            ConvBlock(channels, channels, 3, 1, 1, "instance", "none"),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.model(x)
        return result


class ResidualBlocks(nn.Module):
    """`count` residual blocks behind each other."""

    def __init__(self, channels: int, count: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result
