"""StarGAN: unified generative adversarial networks for multi-domain image-to-image translation.

Y. Choi, M. Choi, M. Kim, J.-W. Ha, S. Kim, J. Choo, CVPR 2018, arXiv 1711.09020. Adversarial loss: Eq. 1, as Wasserstein distance
with gradient penalty Eq. 8; domain classification: Eq. 2 and 3; reconstruction: Eq. 4; objectives: Eq. 5 and 6. The authors draw
the target domains by shuffling the labels of a batch, which at batch size one translates nothing; here the target is another
domain than the picture's own unless `faithful`. Their learning rate is meant to fall but, lowered once in a thousand steps,
hardly does; here it falls, and `--schedule constant` does as they do. A batch holds its number of slices of every domain: for two
domains their 16 pictures are `--batch-size 8`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, field_validator

from ctmri_core.domain import PICTURES, Direction, Domain
from ctmri_core.errors import TrainingFailed
from ctmri_core.hints import nearest_hint
from ctmri_core.method import COURSE, MethodCard, MethodConfig

_KNOWN = tuple(domain.value for domain in PICTURES)


class StarGanConfig(MethodConfig):
    """Settings of StarGAN; the defaults are the paper's."""

    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {COURSE: ("domains",)}

    domains: str = Field(
        default="", max_length=200, description="all contrasts to learn, like ct,mr_t1,mr_t2; default: the two of --direction"
    )
    learning_rate: float = Field(default=1e-4, gt=0, le=0.1, description="Adam's step size before the schedule")
    width: int = Field(default=64, ge=4, le=256, description="channels of the generator's first layer")
    discriminator_width: int = Field(default=64, ge=4, le=256, description="channels of the discriminator's first layer")
    blocks: int = Field(default=6, ge=1, le=16, description="residual blocks of the generator")
    discriminator_layers: int = Field(default=6, ge=1, le=8, description="halvings in the discriminator")
    picture_size: int = Field(
        default=0, ge=0, le=1024, description="edge of the pictures that the discriminator judges; 0: that of --crop"
    )
    lambda_class: float = Field(default=1.0, ge=0, le=1000, description="weight of the domain classification")
    lambda_reconstruction: float = Field(default=10.0, ge=0, le=1000, description="weight of the way back")
    lambda_penalty: float = Field(default=10.0, ge=0, le=1000, description="weight of the gradient penalty")
    critic_steps: int = Field(default=5, ge=1, le=100, description="discriminator steps for each step of the generator")
    faithful: bool = Field(default=False, description="target domains by shuffling the batch, as the authors' code")

    @field_validator("domains")
    @classmethod
    def _known_domains(cls, text: str) -> str:
        names = [name.strip() for name in text.split(",")] if text.strip() else []
        for name in names:
            if name not in _KNOWN:
                raise ValueError(f"{name!r} is no contrast.{nearest_hint(name, _KNOWN)} Known are {', '.join(_KNOWN)}")
        if names and not 2 <= len(set(names)) == len(names):
            raise ValueError("name at least two contrasts, each once")
        return ",".join(names)

    @property
    def least_crop(self) -> int:
        return max(8, 1 << self.discriminator_layers)

    def for_crop(self, crop: int) -> Self:
        fitting = super().for_crop(crop)
        if self.picture_size not in (0, crop):
            raise TrainingFailed(
                f"--picture-size {self.picture_size} is not --crop {crop}: the discriminator judges whole crops."
            )
        return fitting.model_copy(update={"picture_size": crop})

    def domains_of(self, direction: Direction) -> tuple[Domain, ...]:
        own = (direction.source, direction.target)
        named = tuple(Domain(name) for name in self.domains.split(",")) if self.domains else own
        for domain in own:
            if domain not in named:
                raise TrainingFailed(f"--direction {direction} has {domain}, which --domains {self.domains} lacks.")
        return (*own, *(domain for domain in named if domain not in own))


CARD = MethodCard(
    name="stargan",
    title="StarGAN",
    citation="Choi et al., StarGAN, CVPR 2018, Eq. 1 to 8",
    summary="One generator for all domains, told which one is wanted. From unpaired scans of any number of contrasts.",
    needs="multi_domain",
    config=StarGanConfig,
    implementation="ctmri_core.methods.stargan.method:StarGan",
    settings={"batch_size": 4},
    both_ways=True,
)
