"""RegGAN: breaking the dilemma of medical image-to-image translation.

L. Kong, C. Lian, D. Huang, Z. Li, Y. Hu, Q. Zhou, NeurIPS 2021, arXiv 2110.06465. Correction loss: Eq. 4; smoothness: Eq. 5;
objective: Eq. 7. For pairs that are only roughly aligned: a registration network takes the blame for the misalignment while
training and is thrown away afterwards. The authors' code sets up a falling learning rate but never lowers it; here it falls, and
`--schedule constant` does as they do.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig, least_for_patches


class RegGanConfig(MethodConfig):
    """Settings of RegGAN; the defaults are those of the authors' code."""

    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    generator: Literal["resnet_9", "resnet_6"] = Field(default="resnet_9", description="the generator's architecture")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminator's first layer")
    registration_width: int = Field(default=32, ge=4, le=128, description="channels of the registration network's first layer")
    lambda_gan: float = Field(default=1.0, gt=0, le=1000, description="weight of the adversarial loss")
    lambda_correction: float = Field(default=20.0, gt=0, le=1000, description="weight of the error of the registered picture")
    lambda_smooth: float = Field(default=10.0, ge=0, le=10000, description="weight of the displacements' roughness")

    @property
    def least_crop(self) -> int:
        return least_for_patches(70)


CARD = MethodCard(
    name="reggan",
    title="RegGAN",
    citation="Kong et al., Breaking the Dilemma of Medical Image-to-image Translation, NeurIPS 2021, Eq. 4 to 7",
    summary="Learns from pairs that are only roughly aligned: what does not fit is first moved into place by a second network.",
    needs="paired",
    config=RegGanConfig,
    implementation="ctmri_core.methods.reggan.method:RegGan",
    settings={"epochs": 80},
)
