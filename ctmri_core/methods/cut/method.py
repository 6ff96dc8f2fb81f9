"""Park et al. 2020: the discriminator is updated first, then generator and patch features together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.adversarial import adversarial_loss, discriminator_loss
from ctmri_core.losses.contrastive import patch_nce
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.cut.card import CutConfig
from ctmri_core.networks.antialiased_patchgan import AntialiasedPatchGan
from ctmri_core.networks.antialiased_resnet import AntialiasedResnetGenerator
from ctmri_core.networks.initialisation import initialise_xavier
from ctmri_core.networks.patch_features import PatchFeatures
from ctmri_core.networks.patchgan import DISCRIMINATOR_LAYERS
from ctmri_core.translators import OneWay, added, bare, detached, judgements

_LAYERS = (0, 4, 8, 12, 16)
"""Places in the generator whose features are compared."""


class Cut(OneWay):
    """A generator, a patch discriminator, and the small networks that compare patches."""

    def __init__(self, config: CutConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        widths = (1, *(config.width * factor for factor in (2, 4, 4, 4)))
        layers = DISCRIMINATOR_LAYERS[config.receptive_field]
        self.networks = {
            "generator": initialise_xavier(self.build_generator(config, direction)),
            "features": initialise_xavier(PatchFeatures(widths, config.feature_size)),
            "discriminator": initialise_xavier(AntialiasedPatchGan(1, config.discriminator_width, layers)),
        }
        self.optimised = {
            "discriminator": ("discriminator",),
            "generator": ("generator", "features"),
        }

    @staticmethod
    def build_generator(config: CutConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return AntialiasedResnetGenerator(width=config.width, blocks=config.blocks)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        source, target = batch[self.source], batch[self.target]
        mirrored = self.config.flip_equivariance and bool(torch.rand(()) < 0.5)
        synthetic: Tensor = self.networks["generator"](source.flip(3) if mirrored else source)
        judge = self.networks["discriminator"]
        of_real, of_synthetic = judge(target), judge(synthetic.detach())
        discriminator = discriminator_loss(of_real, of_synthetic, "lsgan")
        update("discriminator", discriminator)  # Eq. 1
        terms = {"gan": self.config.lambda_gan * adversarial_loss(judge(synthetic), real=True, kind="lsgan")}
        share = 0.5 if self.config.identity else 1.0
        terms["nce"] = share * self._nce(source, synthetic, mirrored=mirrored)  # Eq. 3
        if self.config.identity:
            terms["nce_identity"] = share * self._nce(target, self.networks["generator"](target))
        update("generator", added(terms))  # Eq. 4
        return detached(terms | {"discriminator": discriminator}) | judgements(self.target, of_real, of_synthetic)

    def _nce(self, source: Tensor, synthetic: Tensor, *, mirrored: bool = False) -> Tensor:
        """Patches of `synthetic` against those of `source`, mean over the layers, weighted. `mirrored`: `synthetic` is."""
        features = bare(self.networks["features"])  # its first vectors are too short for float16
        with torch.no_grad():
            keys, places = features(self.networks["generator"](source, layers=_LAYERS), self.config.patches)
        of_synthetic = self.networks["generator"](synthetic, layers=_LAYERS)
        if mirrored:
            of_synthetic = [feature.flip(3) for feature in of_synthetic]
        queries, _ = features(of_synthetic, self.config.patches, places)
        pairs = zip(queries, keys, strict=True)
        losses = [patch_nce(query, key, self.config.temperature) for query, key in pairs]
        return self.config.lambda_nce * torch.stack(losses).mean()
