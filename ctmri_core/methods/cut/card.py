"""CUT: contrastive learning for unpaired image-to-image translation.

T. Park, A. A. Efros, R. Zhang, J.-Y. Zhu, ECCV 2020, arXiv 2007.15651. Adversarial loss: Eq. 1; PatchNCE: Eq. 3; objective: Eq.
4; FastCUT: section 4 and appendix C. One direction, one generator, no cycle. Generator and discriminator blur before they halve,
as in the authors' code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from ctmri_core.method import LOSSES, MethodCard, MethodConfig, least_for_patches


class CutConfig(MethodConfig):
    """Settings of CUT; the defaults are the paper's.

    FastCUT: lambda_nce 10, no identity, flip_equivariance; 200 epochs, constant_share 0.75.
    """

    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {
        LOSSES: ("identity", "flip_equivariance", "patches", "temperature", "feature_size"),
    }

    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminator's first layer")
    blocks: int = Field(default=9, ge=6, le=16, description="residual blocks of the generator")
    receptive_field: Literal[16, 34, 70, 142] = Field(
        default=70, description="pixels across that one patch judgement sees, before blurring, which adds a fifth"
    )
    lambda_gan: float = Field(default=1.0, gt=0, le=1000, description="weight of the adversarial loss")
    lambda_nce: float = Field(default=1.0, gt=0, le=1000, description="weight of the contrastive loss")
    identity: bool = Field(default=True, description="the contrastive loss of a picture of the target domain as well")
    flip_equivariance: bool = Field(
        default=False, description="mirror every other source at random; its patches must still be known at their mirrored places"
    )
    patches: int = Field(default=256, ge=8, le=4096, description="places that are compared in each layer")
    temperature: float = Field(default=0.07, gt=0, le=10, description="how sharply a patch must know its own place")
    feature_size: int = Field(default=256, ge=8, le=1024, description="length of the vectors that are compared")

    @property
    def least_crop(self) -> int:
        return max(8, least_for_patches(self.receptive_field))


CARD = MethodCard(
    name="cut",
    title="CUT",
    citation="Park et al., Contrastive Learning for Unpaired Image-to-Image Translation, ECCV 2020, Eq. 1 to 4",
    summary="One direction from unpaired scans, cheaper than a cycle: each patch must stay recognisable at its place.",
    needs="unpaired",
    config=CutConfig,
    implementation="ctmri_core.methods.cut.method:Cut",
    settings={"epochs": 400},
)
