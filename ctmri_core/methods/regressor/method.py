"""The mean absolute error, and on request what else tells two pictures apart."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.pixelwise import edge_loss, l1_loss, l2_loss
from ctmri_core.losses.structural import ssim_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.regressor.card import RegressorConfig
from ctmri_core.networks.initialisation import initialise_kaiming, initialise_normal
from ctmri_core.networks.residual_unet import ResidualUnet
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.networks.unet_plus_plus import UnetPlusPlus
from ctmri_core.translators import OneWay, detached


class Regressor(OneWay):
    """One network, (n, context, h, w) -> (n, 1, h, w)."""

    def __init__(self, config: RegressorConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        network = self.build_generator(config, direction)
        # U-Net's own start: by He's, three quarters of its pixels begin where the hyperbolic tangent has no slope left.
        initialise = initialise_normal if isinstance(network, UnetGenerator) else initialise_kaiming
        self.networks = {"generator": initialise(network)}
        self.optimised = {"generator": ("generator",)}

    @staticmethod
    def build_generator(config: RegressorConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        if config.network == "unet":
            return UnetGenerator(config.context_slices, width=config.width, dropout=False)
        if config.network == "residual_unet":
            return ResidualUnet(config.context_slices, config.width, config.blocks, mirrored=config.mirrored)
        return UnetPlusPlus(config.context_slices, width=config.width)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        synthetic: Tensor = self.networks["generator"](batch.seen(self.source))
        target, weight = batch[self.target], batch.masks[self.target] if self.config.body_only else None
        terms, config = {"l1": l1_loss(synthetic, target, weight)}, self.config
        if config.lambda_squared:
            terms["squared"] = l2_loss(synthetic, target, weight)
        if config.lambda_ssim:
            terms["ssim"] = ssim_loss(synthetic + 1, target + 1, data_range=2.0, weight=weight)
        if config.lambda_edges:
            terms["edges"] = edge_loss(synthetic, target, weight)
        weights = {
            "l1": config.lambda_l1, "squared": config.lambda_squared, "ssim": config.lambda_ssim, "edges": config.lambda_edges,
        }  # fmt: skip
        update("generator", torch.stack([weights[name] * term for name, term in terms.items()]).sum())
        return detached(terms)
