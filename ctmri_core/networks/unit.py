"""The networks of UNIT (Liu et al. 2017) as in its public second implementation: encoder, decoder, multi-scale judge."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle

from ctmri_core.networks.conv_block import ConvBlock, ResidualBlocks


class UnitEncoder(nn.Module):
    """(n, c, h, w) -> the latent's mean, (n, 4 width, h / 4, w / 4). The latent's deviation is 1 throughout."""

    def __init__(self, in_channels: int = 1, width: int = 64, blocks: int = 4) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ConvBlock(in_channels, width, 7, 1, 3, "instance"),
            ConvBlock(width, 2 * width, 4, 2, 1, "instance"),
            ConvBlock(2 * width, 4 * width, 4, 2, 1, "instance"),
            ResidualBlocks(4 * width, blocks),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result


class UnitDecoder(nn.Module):
    """(n, 4 width, h, w) -> (n, c, 4 h, 4 w) in [-1, 1]."""

    def __init__(self, out_channels: int = 1, width: int = 64, blocks: int = 4) -> None:
        super().__init__()
        self.model = nn.Sequential(
            ResidualBlocks(4 * width, blocks),
            nn.Upsample(scale_factor=2),
            ConvBlock(4 * width, 2 * width, 5, 1, 2, "layer"),
            nn.Upsample(scale_factor=2),
            ConvBlock(2 * width, width, 5, 1, 2, "layer"),
            ConvBlock(width, out_channels, 7, 1, 3, "none", "tanh"),
        )

    def forward(self, latent: Tensor) -> Tensor:
        result: Tensor = self.model(latent)
        return result


class UnitTranslator(nn.Module):
    """The encoder of one domain before the decoder of the other, (n, c, h, w) -> the same: what is used after training.

    State-dict keys are those of the public checkpoints.
    """

    multiple = 4

    def __init__(self, enc: nn.Module, dec: nn.Module) -> None:
        super().__init__()
        self.enc, self.dec = enc, dec

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.dec(self.enc(x))
        return result

    def with_noise(self, noise: Callable[[Tensor], Tensor]) -> list[RemovableHandle]:
        """Until the handles are removed, samples of the latent are translated: its deviation is 1, as in training."""
        return [self.enc.register_forward_hook(lambda _layer, _given, mean: mean + noise(mean))]


class MultiScaleDiscriminator(nn.Module):
    """(n, c, h, w) -> logits at `scales` resolutions, each half of the one before; receptive field 46 at each."""

    def __init__(self, in_channels: int = 1, width: int = 64, layers: int = 4, scales: int = 3) -> None:
        super().__init__()
        self.cnns = nn.ModuleList(self._judge(in_channels, width, layers) for _ in range(scales))

    @staticmethod
    def _judge(in_channels: int, width: int, layers: int) -> nn.Sequential:
        channels = [in_channels, *(width * 2**level for level in range(layers))]
        blocks = (ConvBlock(before, after, 4, 2, 1, "none", "lrelu") for before, after in pairwise(channels))
        return nn.Sequential(*blocks, nn.Conv2d(channels[-1], 1, 1))

    def forward(self, x: Tensor) -> list[Tensor]:
        logits = []
        for judge in self.cnns:
            logits.append(judge(x))
            x = functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return logits
