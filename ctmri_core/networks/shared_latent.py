"""The networks of UNIT's first version (Liu et al. 2017, appendix B), where the domains share the layers next to the latent.

Before and behind these stand layers of each domain's own; nothing but the shared ones knows both domains. Zero padding, and
no norm outside the residual blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class PlainResidual(nn.Module):
    """`x + f(x)`: two zero-padded 3 x 3 convolutions with instance norm; no activation after the addition."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.InstanceNorm2d(channels),
            nn.ReLU(True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.InstanceNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.model(x)
        return result


def private_encoder(in_channels: int = 1, width: int = 64, blocks: int = 3) -> nn.Sequential:
    """(n, c, h, w) -> (n, 4 width, h / 4, w / 4), of one domain."""
    return nn.Sequential(
        *_leaky(nn.Conv2d(in_channels, width, 7, padding=3)),
        *_leaky(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)),
        *_leaky(nn.Conv2d(2 * width, 4 * width, 3, stride=2, padding=1)),
        *(PlainResidual(4 * width) for _ in range(blocks)),
    )


def private_decoder(out_channels: int = 1, width: int = 64, blocks: int = 3) -> nn.Sequential:
    """(n, 4 width, h, w) -> (n, c, 4 h, 4 w) in [-1, 1], of one domain."""
    return nn.Sequential(
        *(PlainResidual(4 * width) for _ in range(blocks)),
        *_leaky(nn.ConvTranspose2d(4 * width, 2 * width, 3, stride=2, padding=1, output_padding=1)),
        *_leaky(nn.ConvTranspose2d(2 * width, width, 3, stride=2, padding=1, output_padding=1)),
        nn.ConvTranspose2d(width, out_channels, 1),
        nn.Tanh(),
    )


class SharedLatentTranslator(nn.Module):
    """Encoder of one domain, the shared layers before and behind the latent, decoder of the other: what is used afterwards."""

    multiple = 4

    def __init__(self, encode: nn.Module, enc_shared: nn.Module, dec_shared: nn.Module, decode: nn.Module) -> None:
        super().__init__()
        self.encode, self.enc_shared, self.dec_shared, self.decode = encode, enc_shared, dec_shared, decode

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.decode(self.dec_shared(self.enc_shared(self.encode(x))))
        return result

    def with_noise(self, noise: Callable[[Tensor], Tensor]) -> list[RemovableHandle]:
        """Until the handles are removed, samples of the latent are translated: its deviation is 1, as in training."""
        return [self.enc_shared.register_forward_hook(lambda _layer, _given, mean: mean + noise(mean))]


class DeepDiscriminator(nn.Module):
    """(n, c, h, w) -> [logits (n, 1, h / 2**layers, ...)]: a 7 x 7, then 3 x 3 convolutions of stride 2; nothing is shared."""

    def __init__(self, in_channels: int = 1, width: int = 64, layers: int = 6) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(layers)]
        parts = [*_leaky(nn.Conv2d(in_channels, width, 7, stride=2, padding=3))]
        for before, after in pairwise(widths):
            parts += _leaky(nn.Conv2d(before, after, 3, stride=2, padding=1))
        self.model = nn.Sequential(*parts, nn.Conv2d(widths[-1], 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        return [self.model(x)]


def _leaky(convolution: nn.Module) -> tuple[nn.Module, nn.Module]:
    return convolution, nn.LeakyReLU(inplace=True)
