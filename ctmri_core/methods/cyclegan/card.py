"""CycleGAN: unpaired image-to-image translation using cycle-consistent adversarial networks.

J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, ICCV 2017, arXiv 1703.10593. Adversarial loss: Eq. 1, least squares as in section 4;
cycle consistency: Eq. 2; objective: Eq. 3; identity: section 5.2; image pool, schedule and networks: section 4 and the appendix.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctmri_core.method import MethodCard, PatchJudgedConfig


class CycleGanConfig(PatchJudgedConfig):
    """Settings of CycleGAN; the defaults are the paper's."""

    generator: Literal["resnet_9", "resnet_6"] = Field(default="resnet_9", description="the generators' architecture")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generators' first layer")
    lambda_cycle: float = Field(default=10.0, gt=0, le=1000, description="weight of the cycle loss, there and back again")
    lambda_identity: float = Field(
        default=0.5, ge=0, le=10, description="weight of the identity loss as a share of lambda_cycle; 0: none, and faster"
    )
    pool_size: int = Field(default=50, ge=0, le=1000, description="synthetic pictures kept for each discriminator")

    @property
    def least_crop(self) -> int:
        return max(8, self.least_judged)


CARD = MethodCard(
    name="cyclegan",
    title="CycleGAN",
    citation="Zhu et al., Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, ICCV 2017, Eq. 1 to 3",
    summary="Learns both directions from scans of different patients: what is translated there and back must be what it was.",
    needs="unpaired",
    config=CycleGanConfig,
    implementation="ctmri_core.methods.cyclegan.method:CycleGan",
    both_ways=True,
)
