"""Tang et al. 2021, scheme II. The training step is that of `CycleConsistent`."""

from __future__ import annotations

from torch import nn

from ctmri_core.domain import Direction
from ctmri_core.methods.attention_gan.card import AttentionGanConfig
from ctmri_core.networks.attention_generators import AttentionGenerator
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import patch_discriminator
from ctmri_core.translators import CycleConsistent


class AttentionGan(CycleConsistent):
    """A generator with attention maps into each domain, and a patch discriminator of each."""

    def __init__(self, config: AttentionGanConfig, direction: Direction) -> None:
        super().__init__(direction, config.pool_size, config.lambda_cycle, config.lambda_cycle * config.lambda_identity)
        self.set_networks(
            lambda: initialise_normal(self.build_generator(config, direction)),
            lambda: initialise_normal(patch_discriminator(config)),
        )

    @staticmethod
    def build_generator(config: AttentionGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return AttentionGenerator(1, config.width, config.blocks, config.maps)
