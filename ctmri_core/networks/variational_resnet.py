"""Generator and judge of the VAE-CycleGAN reconstruction.

The original (a TensorFlow project) publishes its ideas but no layer widths: a generator with a probabilistic latent pulled to
N(0, I), and a discriminator whose every level judges by itself. What follows is inspired by them, not a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ctmri_core.networks.conv_block import ConvBlock, ResidualBlocks


class VariationalResnet(nn.Module):
    """(n, c, h, w) -> (n, c, h, w) in [-1, 1]; h, w multiples of 4. Translates the latent's mean unless sampling is asked for."""

    multiple = 4

    def __init__(self, channels: int = 1, width: int = 64, blocks: int = 4, latent: int = 64) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            ConvBlock(channels, width, 7, 1, 3, "instance"),
            ConvBlock(width, 2 * width, 4, 2, 1, "instance"),
            ConvBlock(2 * width, 4 * width, 4, 2, 1, "instance"),
            ResidualBlocks(4 * width, blocks),
        )
        self.mean = nn.Conv2d(4 * width, latent, 1)
        self.log_variance = nn.Conv2d(4 * width, latent, 1)
        self.decoder = nn.Sequential(
            nn.Conv2d(latent, 4 * width, 1),
            ResidualBlocks(4 * width, blocks),
            nn.Upsample(scale_factor=2),
            ConvBlock(4 * width, 2 * width, 5, 1, 2, "instance"),
            nn.Upsample(scale_factor=2),
            ConvBlock(2 * width, width, 5, 1, 2, "instance"),
            ConvBlock(width, channels, 7, 1, 3, "none", "tanh"),
        )

    def sample(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(translation of a random latent, mean, logarithm of the variance), by reparametrisation (Kingma and Welling 2014)."""
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self._clamped(hidden)
        latent = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(latent), mean, log_variance

    def forward(self, x: Tensor, *, sampled: bool = False) -> Tensor | tuple[Tensor, Tensor, Tensor]:
        """The translation of the latent's mean; with `sampled` what `sample` gives."""
        if sampled:
            return self.sample(x)
        result: Tensor = self.decoder(self.mean(self.encoder(x)))
        return result

    def with_noise(self, noise: Callable[[Tensor], Tensor]) -> list[RemovableHandle]:
        """Until the handles are removed, samples of the latent are translated."""

        def sampled(_layer: nn.Module, given: tuple[Tensor, ...], mean: Tensor) -> Tensor:
            return mean + torch.exp(0.5 * self._clamped(given[0])) * noise(mean)

        return [self.mean.register_forward_hook(sampled)]

    def _clamped(self, hidden: Tensor) -> Tensor:
        log_variance: Tensor = self.log_variance(hidden)
        return log_variance.clamp(-30.0, 20.0)


class LevelwiseDiscriminator(nn.Module):
    """(n, c, h, w) -> logits of every level, coarsest last: each trunk level learns from its own head alone.

    The trunk is cut between levels, so that no level's gradient depends on another's ("derivative independence").
    """

    def __init__(self, in_channels: int = 1, width: int = 64, levels: int = 4) -> None:
        super().__init__()
        widths = [in_channels, *(min(width * 2**level, 8 * width) for level in range(levels))]
        pairs = list(pairwise(widths))
        self.trunk = nn.ModuleList(ConvBlock(before, after, 4, 2, 1, "none", "lrelu") for before, after in pairs)
        self.heads = nn.ModuleList(nn.Conv2d(after, 1, 5, padding=2) for _, after in pairs)

    def forward(self, x: Tensor, *, isolated: bool = False) -> list[Tensor]:
        """`isolated`: for learning to judge; judging a generator's picture passes gradients through the whole trunk."""
        logits = []
        for level, (block, head) in enumerate(zip(self.trunk, self.heads, strict=True)):
            x = block(x.detach() if isolated and level else x)
            logits.append(head(x))
        return logits
