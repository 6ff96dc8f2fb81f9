"""Cross-entropy and overlap of what is found with what was drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ctmri_core.domain import Direction
from ctmri_core.errors import TrainingFailed
from ctmri_core.losses.overlap import UNDECIDED, cross_entropy, dice_loss
from ctmri_core.method import SliceBatch, Update
from ctmri_core.methods.deeplab_v3_plus.card import DeepLabConfig
from ctmri_core.networks.deeplab import DeepLab
from ctmri_core.networks.initialisation import initialise_kaiming
from ctmri_core.translators import OneWay, added, detached


class DeepLabV3Plus(OneWay):
    """One network, (n, 1, h, w) -> how sure each label is, (n, labels, h, w) in [-1, 1]."""

    def __init__(self, config: DeepLabConfig, direction: Direction) -> None:
        super().__init__(direction)
        self.config = config
        self.networks = {"generator": initialise_kaiming(self.build_generator(config, direction))}
        self.optimised = {"generator": ("generator",)}

    @staticmethod
    def build_generator(config: DeepLabConfig, direction: Direction) -> nn.Module:  # noqa: ARG004  # the same for every direction
        return DeepLab(
            1, len(config.label_names) + 1, config.backbone, output_stride=config.output_stride, separable=config.separable,
            width=config.width,
        )  # fmt: skip

    def training_step(self, batch: SliceBatch, update: Update) -> dict[str, Tensor]:
        labels = self._labels(batch)
        logits: Tensor = self.networks["generator"](batch[self.source], logits=True)
        terms: dict[str, Tensor] = {}
        if self.config.lambda_ce:
            terms["cross_entropy"] = self.config.lambda_ce * cross_entropy(logits, labels)
        if self.config.lambda_dice:
            terms["dice"] = self.config.lambda_dice * dice_loss(logits, labels)
        update("generator", added(terms))
        return detached(terms)

    def _labels(self, batch: SliceBatch) -> Tensor:
        """int64 (n, h, w). Raises `TrainingFailed` where the masks hold more labels than have names."""
        labels = batch[self.target][:, 0].long()
        known = len(self.config.label_names)
        if known == 1:
            return torch.where(labels == UNDECIDED, labels, labels.clamp(max=1))
        largest = int(torch.where(labels == UNDECIDED, 0, labels).max())
        if largest > known:
            raise TrainingFailed(f"The masks hold a label {largest}, and --labels names {known}. Name all of them, in order.")
        return labels
