"""UNIT: unsupervised image-to-image translation networks.

M.-Y. Liu, T. Breuel, J. Kautz, NeurIPS 2017, arXiv 1703.00848. Objective: Eq. 3 to 6. Networks, weights and optimiser as in the
authors' current code, where nothing is shared between the domains and only the losses hold the latent space together.
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig


class UnitConfig(MethodConfig):
    """Settings of UNIT; the defaults are those of the authors' code."""

    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    weight_decay: float = Field(default=1e-4, ge=0, le=1, description="Adam's pull of the weights towards zero")
    width: int = Field(default=64, ge=4, le=256, description="channels of the encoders' first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminators' first layer")
    blocks: int = Field(default=4, ge=1, le=16, description="residual blocks in each encoder and decoder")
    scales: int = Field(default=3, ge=1, le=4, description="resolutions at which the discriminators judge")
    lambda_gan: float = Field(default=1.0, gt=0, le=1000, description="weight of the adversarial loss")
    lambda_reconstruction: float = Field(default=10.0, ge=0, le=1000, description="weight of the error of autoencoding")
    lambda_kl: float = Field(default=0.01, ge=0, le=1000, description="weight of the latent's distance from N(0, 1)")
    lambda_cycle: float = Field(default=10.0, ge=0, le=1000, description="weight of the cycle loss")
    lambda_cycle_kl: float = Field(
        default=0.01, ge=0, le=1000, description="weight of the translated latent's distance from N(0, 1)"
    )


CARD = MethodCard(
    name="unit",
    title="UNIT",
    citation="Liu et al., Unsupervised Image-to-Image Translation Networks, NeurIPS 2017, Eq. 3 to 6",
    summary="Two autoencoders that share the meaning of their latent space: encode a CT, decode an MR. From unpaired scans.",
    needs="unpaired",
    config=UnitConfig,
    implementation="ctmri_core.methods.unit.method:Unit",
    settings={"schedule": "step", "flip": True},
)
