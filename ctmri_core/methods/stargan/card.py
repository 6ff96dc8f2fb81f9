"""StarGAN: unified generative adversarial networks for multi-domain image-to-image translation.

Y. Choi, M. Choi, M. Kim, J.-W. Ha, S. Kim, J. Choo, CVPR 2018, arXiv 1711.09020. Adversarial loss: Eq. 1, as Wasserstein distance
with gradient penalty Eq. 8; domain classification: Eq. 2 and 3; reconstruction: Eq. 4; objectives: Eq. 5 and 6. The authors draw
the target domains by shuffling the labels of a batch, which at batch size one translates nothing; here the target is another
domain than the picture's own unless `faithful`.
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, MethodConfig


class StarGanConfig(MethodConfig):
    """Settings of StarGAN; the defaults are the paper's."""

    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminator's first layer")
    blocks: int = Field(default=6, ge=1, le=16, description="residual blocks of the generator")
    discriminator_layers: int = Field(default=6, ge=1, le=8, description="halvings in the discriminator")
    picture_size: int = Field(
        default=256, ge=16, le=1024, description="edge of the pictures it is trained on, the same as --crop"
    )
    lambda_class: float = Field(default=1.0, ge=0, le=1000, description="weight of the domain classification")
    lambda_reconstruction: float = Field(default=10.0, ge=0, le=1000, description="weight of the way back")
    lambda_penalty: float = Field(default=10.0, ge=0, le=1000, description="weight of the gradient penalty")
    critic_steps: int = Field(default=5, ge=1, le=100, description="discriminator steps for each step of the generator")
    faithful: bool = Field(default=False, description="target domains by shuffling the batch, as the authors' code")


CARD = MethodCard(
    name="stargan",
    title="StarGAN",
    citation="Choi et al., StarGAN, CVPR 2018, Eq. 1 to 8",
    summary="One generator for all domains, told which one is wanted. From unpaired scans of any number of contrasts.",
    needs="multi_domain",
    config=StarGanConfig,
    implementation="ctmri_core.methods.stargan.method:StarGan",
    settings={"schedule": "constant", "batch_size": 4},
)
