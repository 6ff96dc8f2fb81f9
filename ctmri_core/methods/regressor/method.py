"""The mean absolute error, and nothing else."""

from __future__ import annotations

from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.losses.pixelwise import l1_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.regressor.card import RegressorConfig
from ctmri_core.networks.initialisation import initialise_kaiming
from ctmri_core.networks.unet_generator import UnetGenerator
from ctmri_core.networks.unet_plus_plus import UnetPlusPlus
from ctmri_core.translators import OneWay


class Regressor(OneWay):
    """One network, (n, context, h, w) -> (n, 1, h, w)."""

    def __init__(self, config: RegressorConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        self.networks = {"generator": initialise_kaiming(self.build_generator(config, direction))}
        self.optimised = {"generator": ("generator",)}

    @staticmethod
    def build_generator(config: RegressorConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        if config.network == "unet":
            return UnetGenerator(config.context_slices, width=config.width, dropout=False)
        return UnetPlusPlus(config.context_slices, width=config.width)

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        synthetic: Tensor = self.networks["generator"](batch.seen(self.source))
        weight = batch.masks[self.target] if self.config.body_only else None
        loss = l1_loss(synthetic, batch[self.target], weight)
        update("generator", loss)
        return {"l1": loss.detach()}
