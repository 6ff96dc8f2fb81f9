"""Isola et al. 2017: the discriminator is updated first, then the generator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import PairedBatch, Update
from ctmri_core.methods.pix2pix.card import DISCRIMINATOR_LAYERS, Pix2PixConfig
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import PatchGan
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.networks.unet_generator import UnetGenerator


class Pix2Pix:
    """A generator, and (unless `lambda_gan` is 0) a discriminator that sees source and target together."""

    def __init__(self, config: Pix2PixConfig, direction: Direction) -> None:
        self.config = config
        self.directions = (direction,)
        self.networks = {"generator": initialise_normal(self.build_generator(config, direction))}
        if config.lambda_gan:
            layers = DISCRIMINATOR_LAYERS[config.receptive_field]
            discriminator = PatchGan(2, config.discriminator_width, layers, config.norm)
            self.networks["discriminator"] = initialise_normal(discriminator)
        self.optimised: Mapping[str, tuple[str, ...]] = {name: (name,) for name in self.networks}

    @staticmethod
    def build_generator(config: Pix2PixConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        if config.generator == "unet_256":
            return UnetGenerator(width=config.width, norm=config.norm, dropout=config.dropout)
        blocks = {"resnet_9": 9, "resnet_6": 6}[config.generator]
        return ResnetGenerator(width=config.width, blocks=blocks, norm=config.norm, dropout=config.dropout)

    def training_step(self, batch: PairedBatch, update: Update) -> dict[str, Tensor]:
        synthetic: Tensor = self.networks["generator"](batch.source)
        terms = {}
        if self.config.lambda_gan:
            terms["discriminator"] = self._discriminator_loss(batch, synthetic.detach())  # Eq. 1
            update("discriminator", terms["discriminator"])
            terms["gan"] = self._gan_loss(batch, synthetic)  # Eq. 1, non-saturating
        terms["l1"] = l1_loss(synthetic, batch.target, batch.mask if self.config.body_only else None)  # Eq. 3
        update("generator", self._objective(terms))  # Eq. 4
        return {name: term.detach() for name, term in terms.items()}

    def _discriminator_loss(self, batch: PairedBatch, synthetic: Tensor) -> Tensor:
        of_real = self._judge(batch.source, batch.target)
        return discriminator_loss(of_real, self._judge(batch.source, synthetic), self.config.gan_loss)

    def _gan_loss(self, batch: PairedBatch, synthetic: Tensor) -> Tensor:
        return adversarial_loss(self._judge(batch.source, synthetic), real=True, kind=self.config.gan_loss)

    def _objective(self, terms: Mapping[str, Tensor]) -> Tensor:
        distance = self.config.lambda_l1 * terms["l1"]
        return distance + self.config.lambda_gan * terms["gan"] if "gan" in terms else distance

    def _judge(self, source: Tensor, target: Tensor) -> Tensor:
        logits: Tensor = self.networks["discriminator"](torch.cat([source, target], 1))
        return logits

    def translate(self, x: Tensor, direction: Direction) -> Tensor:
        result: Tensor = self.generator(direction)(x)
        return result

    def generator(self, direction: Direction) -> nn.Module:
        if direction not in self.directions:
            raise ValueError(f"this pix2pix translates {self.directions[0]}, not {direction}")
        return self.networks["generator"]

    def state_dict(self) -> dict[str, Tensor]:
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        if state:
            raise ValueError(f"pix2pix keeps no state of its own; got {sorted(state)}")
