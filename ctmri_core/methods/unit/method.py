"""Liu et al. 2017: the discriminators are updated first, then the autoencoders. Latents carry unit noise while training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import summed_over_scales
from ctmri_core.losses.latent import unit_variance_kl
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.unit.card import UnitConfig
from ctmri_core.networks.initialisation import initialise_kaiming, initialise_normal
from ctmri_core.networks.unit import MultiScaleDiscriminator, UnitAutoencoder, UnitDecoder, UnitEncoder, UnitTranslator
from ctmri_core.translators import added, detached


class Unit:
    """An autoencoder and a multi-scale discriminator per domain."""

    def __init__(self, config: UnitConfig, direction: Direction) -> None:
        self.config = config
        self.domains = (direction.source, direction.target)
        self.directions = (direction, direction.reverse)
        self.networks: dict[str, nn.Module] = {}
        for domain in self.domains:
            autoencoder = UnitAutoencoder(1, config.width, config.blocks)
            self.networks[f"encode_{domain}"] = initialise_kaiming(autoencoder.enc)
            self.networks[f"decode_{domain}"] = initialise_kaiming(autoencoder.dec)
            judge = MultiScaleDiscriminator(1, config.discriminator_width, scales=config.scales)
            self.networks[f"judge_{domain}"] = initialise_normal(judge)
        judges = tuple(name for name in self.networks if name.startswith("judge_"))
        autoencoders = tuple(name for name in self.networks if name not in judges)
        self.optimised: Mapping[str, tuple[str, ...]] = {"discriminators": judges, "generators": autoencoders}

    @staticmethod
    def build_generator(config: UnitConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        autoencoder = UnitAutoencoder(1, config.width, config.blocks)
        return UnitTranslator(autoencoder.enc, autoencoder.dec)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = {domain: batch[domain] for domain in self.domains}
        latent = {domain: self._encode(domain, real[domain]) for domain in self.domains}
        synthetic = {domain: self._decode(domain, _noisy(latent[self._other(domain)])) for domain in self.domains}
        discriminators = self._discriminator_loss(real, synthetic)
        update("discriminators", discriminators)
        terms = self._generator_terms(real, latent, synthetic)
        update("generators", added(terms))  # Eq. 3
        return detached(terms | {"discriminators": discriminators})

    def _generator_terms(
        self, real: Mapping[Domain, Tensor], latent: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor]
    ) -> dict[str, Tensor]:
        config, terms = self.config, {}
        for domain in self.domains:
            judged = self.networks[f"judge_{domain}"](synthetic[domain])
            terms[f"gan_{domain}"] = config.lambda_gan * summed_over_scales(judged, real=True, kind="lsgan")  # Eq. 5
            again = self._decode(domain, _noisy(latent[domain]))
            terms[f"reconstruction_{domain}"] = config.lambda_reconstruction * l1_loss(again, real[domain])  # Eq. 4
            terms[f"kl_{domain}"] = config.lambda_kl * unit_variance_kl(latent[domain])
            other = self._other(domain)
            translated = self._encode(other, synthetic[other])
            back = self._decode(domain, _noisy(translated))
            terms[f"cycle_{domain}"] = config.lambda_cycle * l1_loss(back, real[domain])  # Eq. 6
            terms[f"cycle_kl_{domain}"] = config.lambda_cycle_kl * unit_variance_kl(translated)
        return terms

    def _discriminator_loss(self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor]) -> Tensor:
        losses = {}
        for domain in self.domains:
            judge = self.networks[f"judge_{domain}"]
            of_synthetic = summed_over_scales(judge(synthetic[domain].detach()), real=False, kind="lsgan")
            losses[domain] = self.config.lambda_gan * (
                of_synthetic + summed_over_scales(judge(real[domain]), real=True, kind="lsgan")
            )
        return added(losses)

    def _encode(self, domain: Domain, x: Tensor) -> Tensor:
        result: Tensor = self.networks[f"encode_{domain}"](x)
        return result

    def _decode(self, domain: Domain, latent: Tensor) -> Tensor:
        result: Tensor = self.networks[f"decode_{domain}"](latent)
        return result

    def _other(self, domain: Domain) -> Domain:
        return self.domains[1 - self.domains.index(domain)]

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        return self._decode(direction.target, self._encode(direction.source, x))

    def generator(self, direction: Direction) -> nn.Module:
        if direction not in self.directions:
            raise ValueError(f"this model translates {self.directions[0]} and back, not {direction}")
        encoder, decoder = self.networks[f"encode_{direction.source}"], self.networks[f"decode_{direction.target}"]
        return UnitTranslator(cast(UnitEncoder, encoder), cast(UnitDecoder, decoder))

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state:
            raise ValueError(f"UNIT keeps no state of its own; got {sorted(state)}")


def _noisy(latent: Tensor) -> Tensor:
    return latent + torch.randn_like(latent)
