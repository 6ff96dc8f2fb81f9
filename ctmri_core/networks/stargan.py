"""The networks of StarGAN (Choi et al. 2018, appendix tables 4 and 5)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


class StarganGenerator(nn.Module):
    """(n, c, h, w) and one-hot targets (n, domains) -> (n, c, h, w) in [-1, 1]; h, w multiples of 4.

    Zero padding throughout: with reflection padding instance norm would cancel the constant planes that carry the target.
    Instance norm has a learnt scale; running statistics are not kept, as the public code never used the ones it kept.
    """

    def __init__(self, channels: int = 1, domains: int = 2, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.domains = domains
        layers: list[nn.Module] = [nn.Conv2d(channels + domains, width, 7, padding=3, bias=False), *_normed(width)]
        for level in (width, 2 * width):
            layers += [nn.Conv2d(level, 2 * level, 4, stride=2, padding=1, bias=False), *_normed(2 * level)]
        layers += [_Block(4 * width) for _ in range(blocks)]
        for level in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(level, level // 2, 4, stride=2, padding=1, bias=False), *_normed(level // 2)]
        self.main = nn.Sequential(*layers, nn.Conv2d(width, channels, 7, padding=3, bias=False), nn.Tanh())

    def forward(self, x: Tensor, target: Tensor) -> Tensor:
        planes = target[:, :, None, None].expand(-1, -1, x.shape[2], x.shape[3])
        result: Tensor = self.main(torch.cat([x, planes.to(x.dtype)], 1))
        return result


class StarganTranslator(nn.Module):
    """A StarGAN generator with one fixed target: (n, c, h, w) -> the same. What is used after training."""

    multiple = 4
    target: Tensor

    def __init__(self, generator: StarganGenerator, target: int) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("target", torch.eye(generator.domains)[target][None])

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.generator(x, self.target.expand(len(x), -1))
        return result


class StarganDiscriminator(nn.Module):
    """(n, c, size, size) -> (patch judgements (n, 1, size / 2**layers, ...), domain logits (n, domains))."""

    def __init__(self, size: int, channels: int = 1, domains: int = 2, width: int = 64, layers: int = 6) -> None:
        super().__init__()
        widths = [channels, *(width * 2**level for level in range(layers))]
        parts: list[nn.Module] = []
        for before, after in pairwise(widths):
            parts += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.01)]
        self.main = nn.Sequential(*parts)
        self.conv1 = nn.Conv2d(widths[-1], 1, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(widths[-1], domains, size // 2**layers, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.main(x)
        return self.conv1(hidden), self.conv2(hidden).flatten(1)


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.InstanceNorm2d(channels, affine=True),
            nn.ReLU(True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.InstanceNorm2d(channels, affine=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.main(x)
        return result


def _normed(channels: int) -> tuple[nn.Module, nn.Module]:
    return nn.InstanceNorm2d(channels, affine=True), nn.ReLU(True)
