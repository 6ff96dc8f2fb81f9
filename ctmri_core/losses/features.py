"""Distance of pictures in the features of a network that was trained to recognise things (Johnson et al. 2016, Eq. 2)."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
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
            self._network = _loaded(path)
        except (SafetensorError, OSError, RuntimeError, ValueError) as error:
            raise ModelRefused(
                f"{path.name} does not hold the weights of VGG-19: --features-file takes a safetensors file with the keys "
                "features.0.weight to features.34.bias."
            ) from error
        if not all(bool(torch.isfinite(value).all()) for value in self._network.state_dict().values()):
            raise ModelRefused(f"{path.name} holds values that are no numbers. Get the file again.")

    def __call__(self, one: Tensor, other: Tensor) -> Tensor:
        self._network.to(one.device)
        pairs = zip(self._network(_as_photograph(one), _LAYERS), self._network(_as_photograph(other), _LAYERS), strict=True)
        return torch.stack([functional.mse_loss(a, b) for a, b in pairs]).mean()


def _loaded(path: Path) -> nn.Module:
    """The network with the weights of `path`, in float32; of other tensors, classifiers of half a gigabyte, nothing is read."""
    with safe_open(path, framework="pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys() if name.startswith("features.")}  # noqa: SIM118  # no mapping
    first = weights.get("features.0.weight")
    if first is None or first.ndim != 4 or not len(first) or not all(value.is_floating_point() for value in weights.values()):
        raise ValueError("no first layer, or no real numbers")
    with torch.device("meta"):  # no memory, and none of the run's random numbers, for weights that are replaced
        network = VggFeatures(len(first))
    copies = {name: value.to(torch.float32, copy=True) for name, value in weights.items()}  # the file may be gone tomorrow
    network.load_state_dict(copies, assign=True)
    return network.eval().requires_grad_(False)


def _as_photograph(x: Tensor) -> Tensor:
    mean, deviation = (torch.tensor(values, device=x.device, dtype=x.dtype)[:, None, None] for values in (_MEAN, _DEVIATION))
    return ((x + 1) / 2 - mean) / deviation
