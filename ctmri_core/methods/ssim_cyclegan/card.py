"""SSIM-CycleGAN: CycleGAN whose cycle is also judged by structural similarity.

After a public student project (cross-modal CT / MR translation): least-squares losses, 10 cycle, 0.5 identity (absolute), 1 of
1 - SSIM on the cycle, spectral norm on the discriminators (Miyato et al. 2018), cosine annealing. Base: Zhu et al. 2017, Eq. 1 to
3; SSIM: Wang et al. 2004, Eq. 13. The project gave SSIM pictures in [-1, 1] and a data range of 1. SSIM's luminances are meant
for values from zero on: around zero, mid-grey, small differences of opposite sign count as total ones. Here pictures are first
moved to [0, 2], whose range is 2; `faithful` does as they do.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ctmri_core.method import MethodCard, PatchJudgedConfig


class SsimCycleGanConfig(PatchJudgedConfig):
    """Settings of SSIM-CycleGAN."""

    generator: Literal["resnet_9", "resnet_6"] = Field(default="resnet_9", description="the generators' architecture")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generators' first layer")
    spectral_norm: bool = Field(
        default=True, description="bound the discriminators' convolutions by their largest singular value"
    )
    lambda_cycle: float = Field(default=10.0, gt=0, le=1000, description="weight of the absolute error of the cycle")
    lambda_identity: float = Field(default=0.5, ge=0, le=1000, description="weight of the identity loss; 0: none, and faster")
    lambda_ssim: float = Field(default=1.0, ge=0, le=1000, description="weight of 1 - SSIM of the cycle")
    pool_size: int = Field(default=50, ge=0, le=1000, description="synthetic pictures kept for each discriminator")
    faithful: bool = Field(
        default=False, description="SSIM of [-1, 1] with a data range of 1, and no pool of pictures, as the original"
    )

    @property
    def least_crop(self) -> int:
        return max(12, self.least_judged)  # SSIM's window takes 11


CARD = MethodCard(
    name="ssim_cyclegan",
    title="SSIM-CycleGAN",
    citation="Zhu et al., ICCV 2017, Eq. 1 to 3, with Wang et al., IEEE TIP 2004, Eq. 13 on the cycle; Miyato et al., ICLR 2018",
    summary="CycleGAN that is also held to the structure of the picture it started from, with calmer discriminators.",
    needs="unpaired",
    config=SsimCycleGanConfig,
    implementation="ctmri_core.methods.ssim_cyclegan.method:SsimCycleGan",
    settings={"schedule": "cosine"},
    both_ways=True,
)
