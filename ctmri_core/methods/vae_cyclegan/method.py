"""Both generators are updated together, then both discriminators, as in CycleGAN; latents are sampled while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import summed_over_scales
from ctmri_core.losses.latent import gaussian_kl
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.vae_cyclegan.card import VaeCycleGanConfig
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.variational_resnet import LevelwiseDiscriminator, VariationalResnet
from ctmri_core.translators import TwoWay


class VaeCycleGan(TwoWay):
    """A variational generator into each domain and a discriminator of each that judges level by level."""

    def __init__(self, config: VaeCycleGanConfig, direction: Direction) -> None:
        super().__init__(direction, config.pool_size)
        self.config = config
        self.set_networks(
            lambda: initialise_normal(self.build_generator(config, direction)),
            lambda: initialise_normal(LevelwiseDiscriminator(1, config.discriminator_width, config.levels)),
        )

    @staticmethod
    def build_generator(config: VaeCycleGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return VariationalResnet(1, config.width, config.blocks, config.latent)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = self.real(batch)
        latents: list[Tensor] = []
        synthetic = {domain: self._sample(domain, real[self.other(domain)], latents) for domain in self.domains}
        return self.updated(real, synthetic, self._generator_terms(real, synthetic, latents), update)

    def _generator_terms(
        self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor], latents: list[Tensor]
    ) -> dict[str, Tensor]:
        config, terms = self.config, {}
        for domain in self.domains:
            judged = self.judge(domain, synthetic[domain])
            terms[f"gan_{domain}"] = summed_over_scales(judged, real=True, kind="lsgan") / len(judged)
            again = self._sample(domain, synthetic[self.other(domain)], latents)
            terms[f"cycle_{domain}"] = config.lambda_cycle * l1_loss(again, real[domain])
            if config.lambda_identity:
                same = self._sample(domain, real[domain], latents)
                terms[f"identity_{domain}"] = config.lambda_identity * l1_loss(same, real[domain])
        terms["kl"] = config.lambda_kl * torch.stack(latents).mean()
        return terms

    def _sample(self, domain: Domain, x: Tensor, latents: list[Tensor]) -> Tensor:
        """A translation of a random latent; how far its distribution is from N(0, I) is added to `latents`."""
        picture, mean, log_variance = self.to(domain, x, sampled=True)
        latents.append(gaussian_kl(mean, log_variance))
        result: Tensor = picture
        return result

    def verdicts(self, domain: Domain, x: Tensor) -> Sequence[Tensor]:
        """Each level learns from its own alone."""
        levels: Sequence[Tensor] = self.judge(domain, x, isolated=True)
        return levels
