"""UNIT: unsupervised image-to-image translation networks.

M.-Y. Liu, T. Breuel, J. Kautz, NeurIPS 2017, arXiv 1703.00848. Objective: Eq. 3 to 6. Networks, weights and optimiser as in the
authors' current code, where nothing is shared between the domains and only the losses hold the latent space together.
`share_latent` has the paper's own networks instead (the code's branch version_02), whose middle layers are shared. That branch
gives every term ten times the weight, which for Adam is a tenth of the weight decay: `--weight-decay 1e-5` does as it does.
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig


class UnitConfig(MethodConfig):
    """Settings of UNIT; the defaults are those of the authors' code."""

    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="Adam's pull of the weights towards zero")
    share_latent: bool = Field(
        default=False, description="the paper's networks: layers next to the latent shared by both domains, one judge each"
    )
    width: int = Field(default=64, ge=4, le=256, description="channels of the encoders' first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminators' first layer")
    blocks: int = Field(default=4, ge=1, le=16, description="residual blocks in each encoder and decoder")
    scales: int = Field(
        default=3, ge=1, le=4, description="resolutions at which the discriminators judge (without `share_latent`)"
    )
    lambda_gan: float = Field(default=1.0, gt=0, le=1000, description="weight of the adversarial loss")
    lambda_reconstruction: float = Field(default=10.0, ge=0, le=1000, description="weight of the error of autoencoding")
    lambda_kl: float = Field(default=0.01, ge=0, le=1000, description="weight of the latent's distance from N(0, 1)")
    lambda_cycle: float = Field(default=10.0, ge=0, le=1000, description="weight of the cycle loss")
    lambda_cycle_kl: float = Field(
        default=0.01, ge=0, le=1000, description="weight of the translated latent's distance from N(0, 1)"
    )

    @property
    def least_crop(self) -> int:
        return 8 if self.share_latent else 8 * 2**self.scales


CARD = MethodCard(
    name="unit",
    title="UNIT",
    citation="Liu et al., Unsupervised Image-to-Image Translation Networks, NeurIPS 2017, Eq. 3 to 6",
    summary="Two autoencoders that share the meaning of their latent space: encode a CT, decode an MR. From unpaired scans.",
    needs="unpaired",
    config=UnitConfig,
    implementation="ctmri_core.methods.unit.method:Unit",
    settings={"schedule": "step", "stages": 10, "decay": 0.5},
    both_ways=True,
)
