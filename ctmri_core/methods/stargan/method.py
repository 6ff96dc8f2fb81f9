"""Choi et al. 2018: several steps of the discriminator, then one of the generator."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from ctmri_core.domain import Direction
from ctmri_core.losses.gradient_penalty import gradient_penalty
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.stargan.card import StarGanConfig
from ctmri_core.networks.stargan import StarganDiscriminator, StarganGenerator, StarganTranslator
from ctmri_core.translators import added, bare, detached, judgements


class StarGan:
    """One generator that is told the wanted domain, one discriminator that also names the domain it sees."""

    def __init__(self, config: StarGanConfig, direction: Direction) -> None:
        self.config = config
        self.domains = tuple(sorted(config.domains_of(direction)))
        pairs = (Direction(*pair) for pair in permutations(self.domains, 2))
        self.directions = (direction, *(pair for pair in pairs if pair != direction))
        self.networks: dict[str, nn.Module] = {
            "generator": StarganGenerator(1, len(self.domains), config.width, config.blocks),
            "discriminator": StarganDiscriminator(
                config.picture_size or 256, 1, len(self.domains), config.discriminator_width, config.discriminator_layers
            ),
        }
        self.optimised: Mapping[str, tuple[str, ...]] = {name: (name,) for name in self.networks}

    @staticmethod
    def build_generator(config: StarGanConfig, direction: Direction) -> nn.Module:
        domains = sorted(config.domains_of(direction))
        return StarganTranslator(StarganGenerator(1, len(domains), config.width, config.blocks), domains.index(direction.target))

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        real = torch.cat([batch[domain] for domain in self.domains])
        own = torch.arange(len(self.domains), device=real.device).repeat_interleave(len(batch[self.domains[0]]))
        wanted = self._wanted(own)
        said: dict[str, Tensor] = {}
        terms = self._discriminator_terms(real, own, wanted, said)
        update("discriminator", added(terms))  # Eq. 5
        if (batch.step + 1) % self.config.critic_steps == 0:
            generator = self._generator_terms(real, own, wanted)
            update("generator", added(generator))  # Eq. 6
            terms |= generator
        return detached(terms) | said

    def _wanted(self, own: Tensor) -> Tensor:
        """A target domain for each picture: never its own, unless the labels of the batch are shuffled as the authors do."""
        if self.config.faithful:
            return own[torch.randperm(len(own), device=own.device)]
        ahead = torch.randint(1, len(self.domains), own.shape, device=own.device)
        return (own + ahead) % len(self.domains)

    def _discriminator_terms(self, real: Tensor, own: Tensor, wanted: Tensor, said: dict[str, Tensor]) -> dict[str, Tensor]:
        config, judge = self.config, self.networks["discriminator"]
        synthetic = self._translate(real, wanted).detach()
        (of_real, named), (of_synthetic, _) = judge(real), judge(synthetic)
        said |= judgements("all", of_real, of_synthetic)
        terms = {
            "critic": of_synthetic.mean() - of_real.mean(),  # Eq. 8
            "class_real": config.lambda_class * functional.cross_entropy(named.float(), own),  # Eq. 2
        }
        penalty = gradient_penalty(lambda x: cast(Tensor, bare(judge)(x)[0]), real, synthetic)
        return terms | {"penalty": config.lambda_penalty * penalty}

    def _generator_terms(self, real: Tensor, own: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        config = self.config
        synthetic = self._translate(real, wanted)
        judged, named = self.networks["discriminator"](synthetic)
        return {
            "gan": -judged.mean(),
            "class_synthetic": config.lambda_class * functional.cross_entropy(named.float(), wanted),  # Eq. 3
            "reconstruction": config.lambda_reconstruction * l1_loss(self._translate(synthetic, own), real),  # Eq. 4
        }

    def _translate(self, x: Tensor, target: Tensor) -> Tensor:
        result: Tensor = self.networks["generator"](x, functional.one_hot(target, len(self.domains)).to(x.dtype))
        return result

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        target = torch.full((len(x),), self.domains.index(direction.target), device=x.device)
        return self._translate(x, target)

    def generator(self, direction: Direction) -> nn.Module:
        if direction not in self.directions:
            raise ValueError(f"this model translates between {' and '.join(self.domains)}, not {direction}")
        generator = cast(StarganGenerator, self.networks["generator"])
        return StarganTranslator(generator, self.domains.index(direction.target))

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state:
            raise ValueError(f"StarGAN keeps no state of its own; got {sorted(state)}")
