"""Distance of pictures in the features of a network that was trained to recognise things (Johnson et al. 2016, Eq. 2)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from ctmri_core.errors import ModelRefused
from ctmri_core.networks.vgg_features import VggFeatures

_LAYERS = (3, 8, 17, 26, 35)
"""The last activations before VGG-19 halves the picture."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class FeatureDistance:
    """Mean squared difference of VGG-19's features, mean over five depths, of (n, 1, h, w) in [-1, 1].

    `file`: safetensors with its weights, keys `features.0.weight` and so on, which the user supplies; the same layers in another
    width are taken, too. Grey becomes three equal channels, normalised as the network was trained. Raises `ModelRefused` when
    the file does not hold them.
    """

    def __init__(self, file: str | Path) -> None:
        path = Path(file)
        if not path.is_file():
            raise ModelRefused(f"--features-file {path.name}: there is no such file.")
        try:
            weights = {name: value for name, value in load_file(path).items() if name.startswith("features.")}
            network = VggFeatures(len(weights["features.0.weight"]))
            network.load_state_dict(weights)
        except (SafetensorError, OSError, RuntimeError, KeyError) as error:
            raise ModelRefused(f"{path.name} does not hold the weights of VGG-19 (keys features.0.weight ...).") from error
        if not all(bool(torch.isfinite(value).all()) for value in network.state_dict().values()):
            raise ModelRefused(f"{path.name} holds values that are no numbers. Get the file again.")
        self._network = network.eval().requires_grad_(False)

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        self._network.to(one.device)
        pairs = zip(self._network(_as_photograph(one), _LAYERS), self._network(_as_photograph(other), _LAYERS), strict=True)
        return torch.stack([functional.mse_loss(a, b) for a, b in pairs]).mean()


def _as_photograph(x: Tensor) -> Tensor:
    mean, deviation = (torch.tensor(values, device=x.device, dtype=x.dtype)[:, None, None] for values in (_MEAN, _DEVIATION))
    return ((x + 1) / 2 - mean) / deviation
