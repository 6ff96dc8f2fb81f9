"""VAE-CycleGAN: CycleGAN whose generators have a probabilistic latent. A reconstruction, inspired by a public project.

The project describes its ideas but no layer widths, weights or rates: a latent pulled to N(0, I) (Kingma and Welling 2014), and a
discriminator that judges at every level of its trunk, each level learning from its own judgement alone. Cycle: Zhu et al. 2017,
Eq. 1 to 3. All figures here are our choice: with CycleGAN's weights the digital heads were copied instead of translated.
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig


class VaeCycleGanConfig(MethodConfig):
    """Settings of VAE-CycleGAN."""

    width: int = Field(default=64, ge=4, le=256, description="channels of the generators' first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminators' first layer")
    blocks: int = Field(default=4, ge=1, le=16, description="residual blocks before and behind the latent")
    latent: int = Field(default=64, ge=1, le=1024, description="channels of the latent")
    levels: int = Field(default=4, ge=1, le=6, description="levels at which the discriminators judge")
    lambda_cycle: float = Field(default=3.0, gt=0, le=1000, description="weight of the cycle loss")
    lambda_identity: float = Field(default=0.0, ge=0, le=1000, description="weight of the identity loss; 0: none, and faster")
    lambda_kl: float = Field(default=0.001, ge=0, le=1000, description="weight of the mean distance of all latents from N(0, I)")
    pool_size: int = Field(default=50, ge=0, le=1000, description="synthetic pictures kept for each discriminator")

    @property
    def least_crop(self) -> int:
        return max(8, 1 << self.levels)


CARD = MethodCard(
    name="vae_cyclegan",
    title="VAE-CycleGAN",
    citation="Inspired by a public VAE-CycleGAN project; Kingma and Welling, ICLR 2014; Zhu et al., ICCV 2017, Eq. 1 to 3",
    summary="CycleGAN with a random latent between encoder and decoder, judged at every scale. A labelled reconstruction.",
    needs="unpaired",
    config=VaeCycleGanConfig,
    implementation="ctmri_core.methods.vae_cyclegan.method:VaeCycleGan",
    both_ways=True,
)
