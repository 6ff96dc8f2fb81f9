"""pix2pix: image-to-image translation with a conditional adversarial network.

P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
arXiv 1611.07004. Adversarial loss: Eq. 1; distance in pixels: Eq. 3; objective: Eq. 4; networks and training: section 3.2,
3.3 and the appendix.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig

DISCRIMINATOR_LAYERS = {16: 1, 34: 2, 70: 3, 142: 4}
"""Receptive field of a PatchGAN in pixels -> its strided layers."""


class Pix2PixConfig(MethodConfig):
    """Settings of pix2pix; the defaults are the paper's."""

    generator: Literal["unet_256", "resnet_9", "resnet_6"] = Field(default="unet_256", description="the generator's architecture")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    norm: Literal["batch", "instance"] = Field(default="batch", description="normalisation in both networks")
    dropout: bool = Field(default=True, description="dropout in the generator, the method's source of noise")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminator's first layer")
    receptive_field: Literal[16, 34, 70, 142] = Field(default=70, description="pixels across that one patch judgement sees")
    gan_loss: Literal["vanilla", "lsgan"] = Field(default="vanilla", description="cross-entropy or least squares")
    lambda_gan: float = Field(default=1.0, ge=0, le=1000, description="weight of the adversarial loss; 0: plain L1 regression")
    lambda_l1: float = Field(default=100.0, gt=0, le=10000, description="weight of the mean absolute error")
    body_only: bool = Field(default=False, description="count the absolute error inside the body alone")

    @property
    def size_multiple(self) -> int:
        return 256 if self.generator == "unet_256" else 4


CARD = MethodCard(
    name="pix2pix",
    title="pix2pix",
    citation="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, Eq. 1, 3 and 4",
    summary="Learns from aligned pairs: an L1 distance for what is where, a patch discriminator for what looks real.",
    needs="paired",
    config=Pix2PixConfig,
    implementation="ctmri_core.methods.pix2pix.method:Pix2Pix",
)
