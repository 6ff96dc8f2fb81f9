"""Liu et al. 2017: the discriminators are updated first, then the autoencoders. Latents carry unit noise while training."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction, Domain
from ctmri_core.losses.adversarial import GanLoss, summed_over_scales
from ctmri_core.losses.latent import unit_variance_kl
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.unit.card import UnitConfig
from ctmri_core.networks.initialisation import initialise_kaiming, initialise_normal
from ctmri_core.networks.shared_latent import (
    DeepDiscriminator,
    PlainResidual,
    SharedLatentTranslator,
    private_decoder,
    private_encoder,
)
from ctmri_core.networks.unit import MultiScaleDiscriminator, UnitDecoder, UnitEncoder, UnitTranslator
from ctmri_core.translators import added, detached, judgements


class Unit:
    """An autoencoder and a discriminator per domain; with `share_latent`, the layers next to the latent are the same for both."""

    def __init__(self, config: UnitConfig, direction: Direction) -> None:
        self.config = config
        self.domains = (direction.source, direction.target)
        self.directions = (direction, direction.reverse)
        self.networks: dict[str, nn.Module] = {}
        for domain in self.domains:
            self._add_networks(domain)
        if config.share_latent:
            shared = ("shared_encoder", "shared_decoder")
            self.networks |= {name: initialise_normal(PlainResidual(4 * config.width)) for name in shared}
        judges = tuple(name for name in self.networks if name.startswith("judge_"))
        autoencoders = tuple(name for name in self.networks if name not in judges)
        self.optimised: Mapping[str, tuple[str, ...]] = {"discriminators": judges, "generators": autoencoders}
        self._gan: GanLoss = "vanilla" if config.share_latent else "lsgan"

    def _add_networks(self, domain: Domain) -> None:
        config = self.config
        if config.share_latent:
            encoder, decoder = (initialise_normal(network) for network in _private(config))
            judge: nn.Module = DeepDiscriminator(1, config.discriminator_width)
        else:
            encoder = initialise_kaiming(UnitEncoder(1, config.width, config.blocks))
            decoder = initialise_kaiming(UnitDecoder(1, config.width, config.blocks))
            judge = MultiScaleDiscriminator(1, config.discriminator_width, scales=config.scales)
        self.networks[f"encode_{domain}"], self.networks[f"decode_{domain}"] = encoder, decoder
        self.networks[f"judge_{domain}"] = initialise_normal(judge)

    @staticmethod
    def build_generator(config: UnitConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        if config.share_latent:
            encoder, decoder = _private(config)
            return SharedLatentTranslator(encoder, PlainResidual(4 * config.width), PlainResidual(4 * config.width), decoder)
        return UnitTranslator(UnitEncoder(1, config.width, config.blocks), UnitDecoder(1, config.width, config.blocks))

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = {domain: batch[domain] for domain in self.domains}
        latent = {domain: self._encode(domain, real[domain]) for domain in self.domains}
        drawn = {domain: _noisy(mean) for domain, mean in latent.items()}
        synthetic = {domain: self._decode(domain, drawn[self._other(domain)]) for domain in self.domains}
        said: dict[str, Tensor] = {}
        discriminators = self._discriminator_loss(real, synthetic, said)
        update("discriminators", discriminators)
        again = {domain: self._decode(domain, drawn[domain]) for domain in self.domains}
        terms = self._generator_terms(real, latent, again, synthetic)
        update("generators", added(terms))  # Eq. 3
        return detached(terms | {"discriminators": discriminators}) | said

    def _generator_terms(
        self, real: Mapping[Domain, Tensor], latent: Mapping[Domain, Tensor], again: Mapping[Domain, Tensor],
        synthetic: Mapping[Domain, Tensor],
    ) -> dict[str, Tensor]:  # fmt: skip
        config, terms = self.config, {}
        for domain in self.domains:
            judged = self.networks[f"judge_{domain}"](synthetic[domain])
            terms[f"gan_{domain}"] = config.lambda_gan * summed_over_scales(judged, real=True, kind=self._gan)  # Eq. 5
            terms[f"reconstruction_{domain}"] = config.lambda_reconstruction * l1_loss(again[domain], real[domain])  # Eq. 4
            terms[f"kl_{domain}"] = config.lambda_kl * unit_variance_kl(latent[domain])
            other = self._other(domain)
            translated = self._encode(other, synthetic[other])
            back = self._decode(domain, _noisy(translated))
            terms[f"cycle_{domain}"] = config.lambda_cycle * l1_loss(back, real[domain])  # Eq. 6
            terms[f"cycle_kl_{domain}"] = config.lambda_cycle_kl * unit_variance_kl(translated)
        return terms

    def _discriminator_loss(
        self, real: Mapping[Domain, Tensor], synthetic: Mapping[Domain, Tensor], said: dict[str, Tensor]
    ) -> Tensor:
        losses = {}
        for domain in self.domains:
            judge = self.networks[f"judge_{domain}"]
            of_synthetic, of_real = judge(synthetic[domain].detach()), judge(real[domain])
            known_real = summed_over_scales(of_real, real=True, kind=self._gan)
            losses[domain] = self.config.lambda_gan * (summed_over_scales(of_synthetic, real=False, kind=self._gan) + known_real)
            said |= judgements(domain, of_real[0], of_synthetic[0])  # at full resolution
        return added(losses)

    def _encode(self, domain: Domain, x: Tensor) -> Tensor:
        result: Tensor = self.networks[f"encode_{domain}"](x)
        return self.networks["shared_encoder"](result) if self.config.share_latent else result

    def _decode(self, domain: Domain, latent: Tensor) -> Tensor:
        if self.config.share_latent:
            latent = self.networks["shared_decoder"](latent)
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
        if self.config.share_latent:
            return SharedLatentTranslator(encoder, self.networks["shared_encoder"], self.networks["shared_decoder"], decoder)
        return UnitTranslator(encoder, decoder)

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state:
            raise ValueError(f"UNIT keeps no state of its own; got {sorted(state)}")


def _private(config: UnitConfig) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder of one domain where the layers between them are shared; one block of each is a shared one."""
    blocks = config.blocks - 1
    return private_encoder(1, config.width, blocks), private_decoder(1, config.width, blocks)


def _noisy(latent: Tensor) -> Tensor:
    return latent + torch.randn_like(latent)
