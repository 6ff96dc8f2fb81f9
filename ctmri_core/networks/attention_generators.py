"""Generators that say where they change the picture: AGGAN (Tang et al. 2019) and AttentionGAN (Tang et al. 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.networks.normalisation import Norm, norm_layer
from ctmri_core.networks.resnet_generator import ResnetBlock


class AgganGenerator(nn.Module):
    """(n, c, h, w) -> (n, c, h, w): y = content a + x (1 - a), one attention map a in [0, 1] (Tang et al. 2019, Eq. 1).

    As in the public code the content has no tanh, so that values may leave [-1, 1], and norms are those of the batch; `bounded`
    adds a tanh and has instance norm. h, w multiples of 4.
    """

    multiple = 4

    def __init__(self, channels: int = 1, width: int = 64, blocks: int = 6, *, bounded: bool = False) -> None:
        super().__init__()
        self.bounded = bounded
        norm: Norm = "instance" if bounded else "batch"
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(channels, width, 7),
            norm_layer(norm, width),
            nn.ReLU(True),
            *_halve(width, norm),
            *_halve(2 * width, norm),
            *(ResnetBlock(4 * width, norm, False, bias=True) for _ in range(blocks)),
            *_double(4 * width, norm),
            *_double(2 * width, norm),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, channels + 1, 7),
        )

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(translation, attention map (n, 1, h, w))."""
        output = self.model(x)
        attention, content = torch.sigmoid(output[:, :1]), output[:, 1:]
        if self.bounded:
            content = torch.tanh(content)
        return content * attention + x * (1 - attention), attention

    def forward(self, x: Tensor, *, attended: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """The translation; with `attended` the attention map as well."""
        return self.attend(x) if attended else self.attend(x)[0]


class AgganDiscriminator(nn.Module):
    """(n, c, h, w) -> (n, 1, 1, 1): one judgement of the whole picture, as in the public code; h and w at least `least`.

    Of a batch of one its batch norm takes away what a picture's own mean and contrast say, and the judge averages what is left.
    """

    least = 94

    def __init__(self, in_channels: int = 1, width: int = 64) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        channels = [in_channels, width, 2 * width, 4 * width, 8 * width]
        for before, after in pairwise(channels):
            parts += [nn.Conv2d(before, after, 4, stride=2), nn.BatchNorm2d(after), nn.LeakyReLU(0.01, True)]
        parts += [nn.Conv2d(8 * width, 8 * width, 4), nn.LeakyReLU(0.01, True)]
        self.conv_tower = nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Conv2d(8 * width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv_tower(x)
        return result


class AttentionGenerator(nn.Module):
    """(n, c, h, w) -> (n, c, h, w) in [-1, 1]: `maps` - 1 contents and the input itself, mixed by a softmax over `maps`
    attention maps, the last of which keeps the input (Tang et al. 2021, Eq. 6). h, w multiples of 4.

    State-dict keys are those of the public checkpoints.
    """

    multiple = 4
    outputs = ("deconv3_content", "deconv3_attention")
    """The last convolutions, for those who run the rest in a short number format."""

    def __init__(self, channels: int = 1, width: int = 64, blocks: int = 9, maps: int = 10) -> None:
        super().__init__()
        self.channels, self.maps = channels, maps
        self.conv1 = nn.Conv2d(channels, width, 7)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)
        self.resnet_blocks = nn.Sequential(*(_AttentionBlock(4 * width) for _ in range(blocks)))
        self.deconv1_content = _transposed(4 * width, 2 * width)
        self.deconv2_content = _transposed(2 * width, width)
        self.deconv3_content = nn.Conv2d(width, channels * (maps - 1), 7)
        self.deconv1_attention = _transposed(4 * width, 2 * width)
        self.deconv2_attention = _transposed(2 * width, width)
        self.deconv3_attention = nn.Conv2d(width, maps, 1)

    def attend(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(translation, attention maps (n, maps, h, w) that sum to 1)."""
        hidden = functional.relu(functional.instance_norm(self.conv1(functional.pad(x, (3, 3, 3, 3), "reflect"))))
        hidden = _activated(self.conv3, _activated(self.conv2, hidden))
        hidden = self.resnet_blocks(hidden)
        content = _activated(self.deconv2_content, _activated(self.deconv1_content, hidden))
        content = torch.tanh(self.deconv3_content(functional.pad(content, (3, 3, 3, 3), "reflect")))
        attention = _activated(self.deconv2_attention, _activated(self.deconv1_attention, hidden))
        attention = torch.softmax(self.deconv3_attention(attention), 1)
        contents = content.reshape(len(x), self.maps - 1, self.channels, *x.shape[2:])
        mixed = (contents * attention[:, :-1, None]).sum(1) + x * attention[:, -1:]
        return mixed, attention

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(x)[0]


class _AttentionBlock(nn.Module):
    """`x + f(x)`, two reflection-padded 3 x 3 convolutions with instance norm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3)
        self.conv2 = nn.Conv2d(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = _activated(self.conv1, functional.pad(x, (1, 1, 1, 1), "reflect"))
        return x + functional.instance_norm(self.conv2(functional.pad(hidden, (1, 1, 1, 1), "reflect")))


def _activated(layer: nn.Module, x: Tensor) -> Tensor:
    return functional.relu(functional.instance_norm(layer(x)))


def _transposed(before: int, after: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)


def _halve(channels: int, norm: Norm) -> Iterator[nn.Module]:
    yield nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
    yield norm_layer(norm, 2 * channels)
    yield nn.ReLU(True)


def _double(channels: int, norm: Norm) -> Iterator[nn.Module]:
    half = channels // 2
    yield nn.ReflectionPad2d(1)
    yield nn.Conv2d(channels, half, 3)
    yield norm_layer(norm, half)
    yield nn.ReLU(True)
    yield nn.Conv2d(half, 4 * half, 1)
    yield nn.PixelShuffle(2)
    yield norm_layer(norm, half)
    yield nn.ReLU(True)
