"""Both generators are updated together, then both discriminators, as in CycleGAN; latents are sampled while training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import discriminator_loss, summed_over_scales
from ctmri_core.losses.latent import gaussian_kl
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.vae_cyclegan.card import VaeCycleGanConfig
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.variational_resnet import LevelwiseDiscriminator, VariationalResnet
from ctmri_core.translators import TwoWay, added, detached, judgements


class VaeCycleGan(TwoWay):
    """A variational generator into each domain and a discriminator of each that judges level by level."""

    def __init__(self, config: VaeCycleGanConfig, direction: Direction) -> None:
        super().__init__(direction, config.pool_size)
        self.config = config
        judges = (LevelwiseDiscriminator(1, config.discriminator_width, config.levels) for _ in self.domains)
        self.set_networks(
            {domain: initialise_normal(self.build_generator(config, direction)) for domain in self.domains},
            {domain: initialise_normal(judge) for domain, judge in zip(self.domains, judges, strict=True)},
        )

    @staticmethod
    def build_generator(config: VaeCycleGanConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return VariationalResnet(1, config.width, config.blocks, config.latent)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = self.real(batch)
        latents: list[Tensor] = []
        synthetic = {domain: self._sample(domain, real[self.other(domain)], latents) for domain in self.domains}
        terms = self._generator_terms(real, synthetic, latents)
        update("generators", added(terms))
        said: dict[str, Tensor] = {}
        terms["discriminators"] = self._discriminator_loss(real, synthetic, said)
        update("discriminators", terms["discriminators"])
        return detached(terms) | said

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

    def _discriminator_loss(
        self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor], said: dict[str, Tensor]
    ) -> Tensor:
        losses = {}
        for domain in self.domains:
            judge = self.networks[f"judge_{domain}"]
            shown = self.pools[domain].exchange(synthetic[domain].detach())
            of_real, of_synthetic = judge(real[domain], isolated=True), judge(shown, isolated=True)
            levels = zip(of_real, of_synthetic, strict=True)
            losses[domain] = torch.stack([discriminator_loss(one, other, "lsgan") for one, other in levels]).mean()
            said |= judgements(domain, of_real[-1], of_synthetic[-1])  # the last level's is the final decision
        return added(losses)
