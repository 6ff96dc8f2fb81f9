"""Zhu et al. 2017. The training step is that of `CycleConsistent`."""

from __future__ import annotations

from torch import nn

from ctmri_core.domain import Direction
from ctmri_core.methods.cyclegan.card import CycleGanConfig
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import patch_discriminator
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.translators import CycleConsistent


class CycleGan(CycleConsistent):
    """A residual generator into each domain and a patch discriminator of each."""

    def __init__(self, config: CycleGanConfig, direction: Direction) -> None:
        super().__init__(direction, config.pool_size, config.lambda_cycle, config.lambda_cycle * config.lambda_identity)
        self.set_networks(
            lambda: initialise_normal(self.build_generator(config, direction)),
            lambda: initialise_normal(patch_discriminator(config)),
        )

    @staticmethod
    def build_generator(config: CycleGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return ResnetGenerator(width=config.width, blocks={"resnet_9": 9, "resnet_6": 6}[config.generator])
