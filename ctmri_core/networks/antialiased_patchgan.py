"""The discriminator of CUT: a patch discriminator that blurs before it halves (Park et al. 2020; Zhang 2019)."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.networks.antialiased_resnet import BlurDown


class AntialiasedPatchGan(nn.Module):
    """(n, in_channels, h, w) -> (n, 1, h', w') logits, one per overlapping patch; no sigmoid.

    `layers` 4 x 4 convolutions, each halved by `BlurDown`, one that is not, and the output convolution: as many judgements as
    `PatchGan` gives, of patches a fifth larger (18, 40, 84 and 172 pixels for 1 to 4 layers). State-dict keys are those of the
    public checkpoints.
    """

    def __init__(self, in_channels: int = 1, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        parts: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, padding=1), nn.LeakyReLU(0.2), BlurDown(width)]
        channels = width
        for level in range(1, layers + 1):
            wider = min(2 * channels, 8 * width)
            parts += [nn.Conv2d(channels, wider, 4, padding=1), nn.InstanceNorm2d(wider), nn.LeakyReLU(0.2)]
            parts += [BlurDown(wider)] if level < layers else []
            channels = wider
        self.model = nn.Sequential(*parts, nn.Conv2d(channels, 1, 4, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result
