"""Distance of pictures in the features of a network that was trained to recognise things (Johnson et al. 2016, Eq. 2)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from ctmri_core.networks.picture_features import VGG_LAYERS, as_photograph
from ctmri_core.networks.public_weights import VGG_19, network_from_file


class FeatureDistance:
    """Mean squared difference of VGG-19's features, mean over five depths, of (n, 1, h, w) in [-1, 1].

    `file`: safetensors with its weights, keys `features.0.weight` and so on, which the user supplies; the same layers in another
    width are taken, too. Grey becomes three equal channels, normalised as the network was trained. Raises `ModelRefused` when
    the file does not hold them.
    """

    def __init__(self, file: str | Path) -> None:
        self._network = network_from_file(VGG_19, Path(file), "--features-file")

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        self._network.to(one.device)
        seen = [self._network(as_photograph((x + 1) / 2), VGG_LAYERS) for x in (one, other)]
        return torch.stack([functional.mse_loss(a, b) for a, b in zip(*seen, strict=True)]).mean()
