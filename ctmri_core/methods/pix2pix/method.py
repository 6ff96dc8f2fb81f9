"""Isola et al. 2017: the discriminator is updated first (or in every n-th step alone), then the generator."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.features import FeatureDistance
from ctmri_core.losses.gradient_penalty import gradient_penalty
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.pix2pix.card import Pix2PixConfig
from ctmri_core.networks.as_in_training import as_in_training
from ctmri_core.networks.initialisation import initialise_normal
from ctmri_core.networks.patchgan import patch_discriminator
from ctmri_core.networks.plain_unet import PlainUnet
from ctmri_core.networks.resnet_generator import ResnetGenerator
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.translators import OneWay, bare, detached, judgements


class Pix2Pix(OneWay):
    """A generator, and (unless `lambda_gan` is 0) a discriminator that sees source and target together."""

    def __init__(self, config: Pix2PixConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        self.networks = {"generator": initialise_normal(self.build_generator(config, direction))}
        if config.lambda_gan:
            self.networks["discriminator"] = initialise_normal(patch_discriminator(config, 2, config.norm))
        self.optimised = {name: (name,) for name in self.networks}
        self._features = FeatureDistance(config.features_file) if config.lambda_features else None

    @staticmethod
    def build_generator(config: Pix2PixConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        generator = _build_generator(config)
        return as_in_training(generator) if config.faithful else generator

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        terms: dict[str, Tensor] = {}
        said: dict[str, Tensor] = {}
        synthetic: Tensor = self.networks["generator"](batch[self.source])
        if self.config.lambda_gan and batch.step % self.config.generator_steps == 0:
            terms["discriminator"] = self._discriminator_loss(batch, synthetic.detach(), said)  # Eq. 1
            update("discriminator", terms["discriminator"])
        terms |= self._generator_terms(batch, synthetic)
        update("generator", self._objective(terms))  # Eq. 4
        return detached(terms) | said

    def _generator_terms(self, batch: SliceBatch, synthetic: Tensor) -> dict[str, Tensor]:
        target = batch[self.target]
        terms = {"l1": l1_loss(synthetic, target, batch.masks[self.target] if self.config.body_only else None)}  # Eq. 3
        if self.config.lambda_gan:
            judged = self._judge(batch[self.source], synthetic)
            terms["gan"] = adversarial_loss(judged, real=True, kind=self.config.gan_loss)  # Eq. 1, non-saturating
        if self._features is not None:
            terms["features"] = self._features(synthetic, target)
        return terms

    def _objective(self, terms: Mapping[str, Tensor]) -> Tensor:
        weights = {"l1": self.config.lambda_l1, "gan": self.config.lambda_gan, "features": self.config.lambda_features}
        return torch.stack([weight * terms[name] for name, weight in weights.items() if name in terms]).sum()

    def _discriminator_loss(self, batch: SliceBatch, synthetic: Tensor, said: dict[str, Tensor]) -> Tensor:
        source, target = batch[self.source], batch[self.target]
        of_real, of_synthetic = self._judge(source, target), self._judge(source, synthetic)
        said |= judgements(self.target, of_real, of_synthetic)
        loss = discriminator_loss(of_real, of_synthetic, self.config.gan_loss)
        if self.config.lambda_penalty:
            real, made = torch.cat([source, target], 1), torch.cat([source, synthetic], 1)
            loss = loss + self.config.lambda_penalty * gradient_penalty(bare(self.networks["discriminator"]), real, made)
        return loss

    def _judge(self, source: Tensor, target: Tensor) -> Tensor:
        logits: Tensor = self.networks["discriminator"](torch.cat([source, target], 1))
        return logits


def _build_generator(config: Pix2PixConfig) -> nn.Module:
    if config.generator == "plain_unet":
        return PlainUnet(config.width, dropout=0.05 if config.dropout else 0.0)
    if config.generator == "unet_256":
        return UnetGenerator(width=config.width, norm=config.norm, dropout=config.dropout)
    blocks = {"resnet_9": 9, "resnet_6": 6}[config.generator]
    return ResnetGenerator(width=config.width, blocks=blocks, norm=config.norm, dropout=config.dropout)
