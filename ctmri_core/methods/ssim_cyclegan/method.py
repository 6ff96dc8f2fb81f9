"""The training step is that of `CycleConsistent`, with structural similarity in the cycle."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.structural import ssim_loss
from ctmri_core.methods.ssim_cyclegan.card import SsimCycleGanConfig
from ctmri_core.networks.initialisation import initialise_normal, with_spectral_norm
from ctmri_core.networks.patchgan import DISCRIMINATOR_LAYERS, PatchGan
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.translators import CycleConsistent


class SsimCycleGan(CycleConsistent):
    """A residual generator into each domain and a spectrally normed patch discriminator of each."""

    def __init__(self, config: SsimCycleGanConfig, direction: Direction) -> None:
        pool_size = 0 if config.faithful else config.pool_size
        super().__init__(direction, pool_size, config.lambda_cycle, config.lambda_identity)
        self.config = config
        self.set_networks(
            {domain: initialise_normal(self.build_generator(config, direction)) for domain in self.domains},
            {domain: self._build_judge() for domain in self.domains},
        )

    @staticmethod
    def build_generator(config: SsimCycleGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return ResnetGenerator(width=config.width, blocks={"resnet_9": 9, "resnet_6": 6}[config.generator])

    def _build_judge(self) -> nn.Module:
        layers = DISCRIMINATOR_LAYERS[self.config.receptive_field]
        judge = initialise_normal(PatchGan(1, self.config.discriminator_width, layers))
        return with_spectral_norm(judge) if self.config.spectral_norm else judge

    def cycle_terms(self, domain: Domain, again: Tensor, real: Tensor) -> dict[str, Tensor]:
        terms = super().cycle_terms(domain, again, real)
        if self.config.lambda_ssim:
            data_range = 1.0 if self.config.faithful else 2.0
            terms[f"ssim_{domain}"] = self.config.lambda_ssim * ssim_loss(again, real, data_range=data_range)
        return terms
