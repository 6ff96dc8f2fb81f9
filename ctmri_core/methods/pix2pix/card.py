"""pix2pix: image-to-image translation with a conditional adversarial network.

P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017,
arXiv 1611.07004. Adversarial loss: Eq. 1; distance in pixels: Eq. 3; objective: Eq. 4; networks and training: section 3.2,
3.3 and the appendix. The paper translates with dropout on and batch norm by the statistics of the very picture (section 3.3);
here translating is free of chance and uses the statistics of training. `faithful` does as the paper, but draws its dropout once
for all slices, so that a scan is translated alike every time.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ctmri_core.method import MethodCard, PatchJudgedConfig


class Pix2PixConfig(PatchJudgedConfig):
    """Settings of pix2pix; the defaults are the paper's."""

    generator: Literal["unet_256", "resnet_9", "resnet_6", "plain_unet"] = Field(
        default="unet_256", description="the generator's architecture; plain_unet: five levels, always with batch norm"
    )
    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    norm: Literal["batch", "instance"] = Field(default="batch", description="normalisation in both networks")
    dropout: bool = Field(default=True, description="dropout in the generator, the method's source of noise")
    gan_loss: Literal["vanilla", "lsgan"] = Field(default="vanilla", description="cross-entropy or least squares")
    lambda_gan: float = Field(default=1.0, ge=0, le=1000, description="weight of the adversarial loss; 0: plain L1 regression")
    lambda_l1: float = Field(default=100.0, gt=0, le=10000, description="weight of the mean absolute error")
    lambda_penalty: float = Field(default=0.0, ge=0, le=1000, description="weight of the discriminator's gradient penalty")
    lambda_features: float = Field(default=0.0, ge=0, le=10000, description="weight of the distance of VGG-19 features")
    features_file: str = Field(default="", description="safetensors file with VGG-19's weights, for lambda_features")
    generator_steps: int = Field(
        default=1, ge=1, le=10, description="generator steps, each on its own batch, for each step of the discriminator"
    )
    body_only: bool = Field(
        default=False, description="count the absolute error inside the body alone; around it the discriminator alone judges"
    )
    faithful: bool = Field(
        default=False,
        description="translate as in the paper: dropout stays on, by one pattern; batch norm by each picture's own statistics",
    )

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.lambda_features and not self.features_file:
            raise ValueError("--lambda-features needs --features-file, a safetensors file with the weights of VGG-19")
        if self.features_file and not self.lambda_features:
            raise ValueError("--features-file does nothing without --lambda-features, the weight of its loss")
        if self.lambda_penalty and not self.lambda_gan:
            raise ValueError("--lambda-penalty is for the discriminator, and --lambda-gan 0 has none")
        return self

    @property
    def size_multiple(self) -> int:
        return {"unet_256": 256, "plain_unet": 32}.get(self.generator, 4)

    def told(self) -> dict[str, Any]:
        return {**super().told(), "features_file": PurePath(self.features_file).name}

    @property
    def least_crop(self) -> int:
        generator = {"unet_256": 256, "plain_unet": 64}.get(self.generator, 8)  # batch norm needs more than one value
        features = 16 if self.lambda_features else 0  # VGG-19 halves four times before its last features
        return max(generator, features, self.least_judged if self.lambda_gan else 0)


CARD = MethodCard(
    name="pix2pix",
    title="pix2pix",
    citation="Isola et al., Image-to-Image Translation with Conditional Adversarial Networks, CVPR 2017, Eq. 1, 3 and 4",
    summary="Learns from aligned pairs: an L1 distance for what is where, a patch discriminator for what looks real.",
    needs="paired",
    config=Pix2PixConfig,
    implementation="ctmri_core.methods.pix2pix.method:Pix2Pix",
)
