"""A supervised regressor: what wins challenges where pairs are well aligned.

U-Net (Ronneberger et al. 2015) or, with neighbouring slices as channels, UNet++ (Zhou et al. 2018) with a ResNet-34 encoder,
trained on the mean absolute error alone, as the best entries of SynthRAD2025 were (with perceptual terms beside it). On request
structural similarity (Zhao et al. 2017) and steps between neighbours (Mathieu et al. 2016, Eq. 6, exponent 1) count beside it.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig


class RegressorConfig(MethodConfig):
    """Settings of the regressor."""

    learning_rate: float = Field(default=1e-3, gt=0, le=0.1, description="Adam's step size before the schedule")
    beta_1: float = Field(default=0.9, ge=0, lt=1, description="Adam's decay of the gradient's running mean")
    weight_decay: float = Field(default=1e-3, ge=0, le=1, description="Adam's pull of the weights towards zero, decoupled")
    network: Literal["unet", "unet_plus_plus", "residual_unet"] = Field(
        default="unet_plus_plus", description="the architecture; residual_unet: for processors, on half the resolution"
    )
    blocks: int = Field(default=2, ge=1, le=8, description="residual_unet: blocks at each resolution on the way down")
    mirrored: bool = Field(
        default=False, description="residual_unet: in use, average with what it makes of the mirror image, in twice the time"
    )
    width: int = Field(default=64, ge=8, le=256, description="channels of the first layer")
    context_slices: Literal[1, 3, 5, 7] = Field(
        default=5, description="neighbouring slices it sees, the middle one is translated"
    )
    lambda_l1: float = Field(default=1.0, gt=0, le=10000, description="weight of the mean absolute error")
    lambda_squared: float = Field(
        default=0.0, ge=0, le=10000, description="weight of the mean squared error: what is rare, as bone, is learnt sooner"
    )
    lambda_ssim: float = Field(default=0.0, ge=0, le=10000, description="weight of one minus the structural similarity")
    lambda_edges: float = Field(default=0.0, ge=0, le=10000, description="weight of the error of steps between neighbours")
    body_only: bool = Field(
        default=False, description="count the error inside the body alone; around it the result then means nothing"
    )

    @property
    def decoupled_decay(self) -> bool:
        return True

    @property
    def size_multiple(self) -> int:
        return 256 if self.network == "unet" else 32

    @property
    def least_crop(self) -> int:
        return 256 if self.network == "unet" else 64  # batch norm needs more than one value

    @property
    def context(self) -> int:
        return self.context_slices


CARD = MethodCard(
    name="regressor",
    title="Regressor",
    citation="Ronneberger et al., MICCAI 2015; Zhou et al., UNet++, DLMIA 2018; the loss of Isola et al., CVPR 2017, Eq. 3 alone",
    summary="The plain way: learn the values from well aligned pairs, no discriminator. Most accurate, and smoothest.",
    needs="paired",
    config=RegressorConfig,
    implementation="ctmri_core.methods.regressor.method:Regressor",
    settings={"schedule": "step", "stages": 10, "decay": 0.75, "epochs": 100, "batch_size": 8},
)
