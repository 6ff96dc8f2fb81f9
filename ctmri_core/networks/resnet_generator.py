"""The residual generator of CycleGAN (Zhu et al. 2017, after Johnson et al. 2016)."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from ctmri_core.networks.normalisation import Norm, conv_has_bias, norm_layer


class ResnetBlock(nn.Module):
    """`x + f(x)` with f = two reflection-padded 3 x 3 convolutions; no ReLU after the addition.

    `bias` of the convolutions: by the norm, unless told.
    """

    def __init__(self, channels: int, norm: Norm, dropout: bool, *, bias: bool | None = None) -> None:
        super().__init__()
        bias = conv_has_bias(norm) if bias is None else bias
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm_layer(norm, channels),
            nn.ReLU(True),
            *([nn.Dropout(0.5)] if dropout else []),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3, bias=bias),
            norm_layer(norm, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv_block(x)
        return result


class ResnetGenerator(nn.Module):
    """(n, in_channels, h, w) in [-1, 1] -> (n, out_channels, h, w) in [-1, 1]; h and w multiples of `multiple`, at least 8.

    7 x 7 convolution to `width` channels, two strided convolutions, `blocks` residual blocks at 4 x `width` channels, two
    transposed convolutions, 7 x 7 convolution, tanh. State-dict keys are those of the public CycleGAN checkpoints.
    """

    multiple = 4

    def __init__(
        self,
        in_channels: int = 1,
        out_channels: int = 1,
        width: int = 64,
        blocks: int = 9,
        norm: Norm = "instance",
        dropout: bool = False,
    ) -> None:
        super().__init__()
        bias = conv_has_bias(norm)
        self.model = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(in_channels, width, 7, bias=bias),
            norm_layer(norm, width),
            nn.ReLU(True),
            *_shrink(width, norm),
            *_shrink(2 * width, norm),
            *(ResnetBlock(4 * width, norm, dropout) for _ in range(blocks)),
            *_enlarge(4 * width, norm),
            *_enlarge(2 * width, norm),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, out_channels, 7),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result


def _shrink(channels: int, norm: Norm) -> Iterator[nn.Module]:
    yield nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1, bias=conv_has_bias(norm))
    yield norm_layer(norm, 2 * channels)
    yield nn.ReLU(True)


def _enlarge(channels: int, norm: Norm) -> Iterator[nn.Module]:
    bias = conv_has_bias(norm)
    yield nn.ConvTranspose2d(channels, channels // 2, 3, stride=2, padding=1, output_padding=1, bias=bias)
    yield norm_layer(norm, channels // 2)
    yield nn.ReLU(True)
