"""The patch discriminator of pix2pix and CycleGAN (Isola et al. 2017, section 3.2.2)."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.method import PatchJudgedConfig
from ctmri_core.networks.normalisation import Norm, conv_has_bias, norm_layer

DISCRIMINATOR_LAYERS = {16: 1, 34: 2, 70: 3, 142: 4}
"""Receptive field of a PatchGAN in pixels -> its strided layers."""


class PatchGan(nn.Module):
    """(n, in_channels, h, w) -> (n, 1, h', w') logits, one per overlapping patch; no sigmoid.

    `layers` strided 4 x 4 convolutions, one more of stride 1, and the output convolution; 0 layers judge single pixels.
    "N x N PatchGAN" names the receptive field: layers = 1 is 16 x 16, 3 is 70 x 70. `penultimate=False` leaves out the
    convolution of stride 1 (with 4 layers: 15 x 15 outputs for 256 x 256, receptive field 94; what several projects call
    "16 x 16 patches"). `bias` of normed convolutions: by the norm, unless told. State-dict keys are those of
    the public checkpoints.
    """

    def __init__(
        self, in_channels: int, width: int = 64, layers: int = 3, norm: Norm = "instance",
        *, penultimate: bool = True, bias: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.layers = layers
        self.penultimate = penultimate
        bias = conv_has_bias(norm) if bias is None else bias
        if layers == 0:
            self.model = nn.Sequential(
                nn.Conv2d(in_channels, width, 1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, 2 * width, 1, bias=bias),
                norm_layer(norm, 2 * width),
                nn.LeakyReLU(0.2),
                nn.Conv2d(2 * width, 1, 1, bias=bias),
            )
            return
        channels = width
        parts: list[nn.Module] = [nn.Conv2d(in_channels, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for stride in [2] * (layers - 1) + [1] * penultimate:
            wider = min(2 * channels, 8 * width)
            parts += [nn.Conv2d(channels, wider, 4, stride=stride, padding=1, bias=bias), norm_layer(norm, wider)]
            parts.append(nn.LeakyReLU(0.2))
            channels = wider
        self.model = nn.Sequential(*parts, nn.Conv2d(channels, 1, 4, padding=1))

    @property
    def receptive_field(self) -> int:
        """Edge length in pixels of what one output sees."""
        return receptive_field(self.layers, penultimate=self.penultimate)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.model(x)
        return result


def patch_discriminator(config: PatchJudgedConfig, in_channels: int = 1, norm: Norm = "instance") -> PatchGan:
    """The discriminator that `config` describes, with torch's own initial weights."""
    layers = 4 if config.patch_grid else DISCRIMINATOR_LAYERS[config.receptive_field]
    return PatchGan(in_channels, config.discriminator_width, layers, norm, penultimate=not config.patch_grid)


def receptive_field(layers: int, *, penultimate: bool = True) -> int:
    """Receptive field of a `PatchGan`, walking back from one output: r -> (r - 1) stride + kernel."""
    if layers == 0:
        return 1
    field = 1
    for stride in [1] * (1 + penultimate) + [2] * layers:
        field = (field - 1) * stride + 4
    return field
