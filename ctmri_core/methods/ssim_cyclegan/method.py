"""The training step is that of `CycleConsistent`, with structural similarity in the cycle."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.structural import ssim_loss
from ctmri_core.methods.ssim_cyclegan.card import SsimCycleGanConfig
from ctmri_core.networks.initialisation import initialise_normal, with_spectral_norm
from ctmri_core.networks.patchgan import patch_discriminator
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.translators import CycleConsistent


class SsimCycleGan(CycleConsistent):
    """A residual generator into each domain and a spectrally normed patch discriminator of each."""

    def __init__(self, config: SsimCycleGanConfig, direction: Direction) -> None:
        pool_size = 0 if config.faithful else config.pool_size
        super().__init__(direction, pool_size, config.lambda_cycle, config.lambda_identity)
        self.config = config
        self.set_networks(lambda: initialise_normal(self.build_generator(config, direction)), self._build_judge)

    @staticmethod
    def build_generator(config: SsimCycleGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return ResnetGenerator(width=config.width, blocks={"resnet_9": 9, "resnet_6": 6}[config.generator])

    def _build_judge(self) -> nn.Module:
        judge = initialise_normal(patch_discriminator(self.config))
        return with_spectral_norm(judge) if self.config.spectral_norm else judge

    def cycle_terms(self, domain: Domain, again: Tensor, real: Tensor) -> dict[str, Tensor]:
        terms = super().cycle_terms(domain, again, real)
        if self.config.lambda_ssim:
            terms[f"ssim_{domain}"] = self.config.lambda_ssim * self._ssim_loss(again, real)
        return terms

    def _ssim_loss(self, again: Tensor, real: Tensor) -> Tensor:
        if self.config.faithful:
            return ssim_loss(again, real, data_range=1.0)
        return ssim_loss(again + 1, real + 1, data_range=2.0)  # its luminances are meant for values from zero on
