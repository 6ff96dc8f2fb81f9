"""AGGAN: attention-guided generative adversarial networks for unsupervised image-to-image translation.

H. Tang, D. Xu, N. Sebe, Y. Yan, IJCNN 2019, arXiv 1903.12296. Composition: Eq. 1; attention loss: Eq. 5; objective: Eq. 9 and
the curriculum of the authors' code. The pixel loss assumes that source and target look alike, which CT and MR do not: the
default turns it off. The code's discriminator judges whole pictures and has batch norm, which in a batch of one hides how
bright a picture is: the attention closes before that judge says anything of use, and the input is copied. The default judges
patches, as the paper has it, with instance norm throughout, and the cycle counts a tenth as much and grows step by step where
the code's jumps: with the code's weights the attention closed again when it did. `faithful` does as the code, and lets the
content leave [-1, 1]. The code repeats its attention map thrice, for three colours, and weighs the sum with 1e-6; here there
is one map, with 3e-6.
"""

from __future__ import annotations

from pydantic import Field

from ctmri_core.method import MethodCard, PatchJudgedConfig


class AgganConfig(PatchJudgedConfig):
    """Settings of AGGAN."""

    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generators' first layer")
    blocks: int = Field(default=6, ge=1, le=16, description="residual blocks in each generator")
    lambda_cycle: float | None = Field(
        default=None, gt=0, le=1000, description="weight of the cycle loss; 1 unless told, 10 if `faithful`"
    )
    lambda_pixel: float = Field(default=1.0, ge=0, le=1000, description="weight of the likeness to the input (with `faithful`)")
    lambda_attention: float = Field(default=3e-6, ge=0, le=1, description="weight of the attention maps' total variation")
    curriculum_epochs: int = Field(default=10, ge=0, le=100_000, description="epochs in which the cycle hardly counts yet")
    pool_size: int = Field(default=50, ge=0, le=1000, description="synthetic pictures kept for each discriminator")
    faithful: bool = Field(
        default=False, description="as the authors' code: pixel loss, content without tanh, batch norm, whole pictures judged"
    )

    @property
    def cycle_weight(self) -> float:
        """As told, else as was found to work, else as the code has it."""
        return self.lambda_cycle or (10.0 if self.faithful else 1.0)

    @property
    def least_crop(self) -> int:
        return 94 if self.faithful else max(8, self.least_judged)  # five unpadded convolutions of the discriminator


CARD = MethodCard(
    name="aggan",
    title="AGGAN",
    citation="Tang et al., Attention-Guided GANs for Unsupervised Image-to-Image Translation, IJCNN 2019, Eq. 1 to 9",
    summary="Learns both directions and, with them, a map of where the picture has to change; the rest is kept from the input.",
    needs="unpaired",
    config=AgganConfig,
    implementation="ctmri_core.methods.aggan.method:Aggan",
    both_ways=True,
)
