"""AttentionGAN: unpaired image-to-image translation using attention-guided generative adversarial networks.

H. Tang, H. Liu, D. Xu, P. H. S. Torr, N. Sebe, IEEE TNNLS 2021, arXiv 1911.11897, scheme II. Composition: Eq. 6; objective: Eq. 9
(without the pixel loss, as in the authors' code).
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, PatchJudgedConfig


class AttentionGanConfig(PatchJudgedConfig):
    """Settings of AttentionGAN; the defaults are those of the authors' code."""

    width: int = Field(default=64, ge=4, le=256, description="channels of the generators' first layer")
    blocks: int = Field(default=9, ge=1, le=16, description="residual blocks in each generator")
    maps: int = Field(default=10, ge=2, le=32, description="attention maps; the last one keeps the input")
    lambda_cycle: float = Field(default=10.0, gt=0, le=1000, description="weight of the cycle loss")
    lambda_identity: float = Field(default=0.5, ge=0, le=10, description="weight of the identity loss as a share of lambda_cycle")
    pool_size: int = Field(default=50, ge=0, le=1000, description="synthetic pictures kept for each discriminator")

    @property
    def least_crop(self) -> int:
        return max(8, self.least_judged)


CARD = MethodCard(
    name="attention_gan",
    title="AttentionGAN",
    citation="Tang et al., AttentionGAN, IEEE TNNLS 2021, scheme II, Eq. 6 and 9",
    summary="CycleGAN whose generators mix several candidate pictures and the input by attention maps that they learn.",
    needs="unpaired",
    config=AttentionGanConfig,
    implementation="ctmri_core.methods.attention_gan.method:AttentionGan",
    both_ways=True,
)
